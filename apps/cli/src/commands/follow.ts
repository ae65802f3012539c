import type { Kind } from '@caricature/contracts';
import { CliError } from '../cli.error.js';
import type { ControllerClient, Resource } from '../controller-client.js';
import { LiveView } from '../rendering/live-view.js';

export interface Target {
  kind: Kind;
  namespace: string;
  name: string;
}

const POLL_MS = 500;

/** Shows how resources come along until all have ended; gives them as they ended. */
export async function follow(client: ControllerClient, targets: Target[], view: LiveView, signal: AbortSignal): Promise<Resource[]> {
  for (;;) {
    signal.throwIfAborted();
    const resources = await Promise.all(targets.map((t) => client.get(t.kind, t.namespace, t.name)));
    view.update(resources, Date.now());
    if (resources.every(hasEnded)) return resources;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

export function hasEnded({ status, metadata }: Resource): boolean {
  // A status of an older generation tells nothing of what was asked for last.
  return status?.observedGeneration === metadata.generation && (status.phase === 'Succeeded' || status.phase === 'Failed');
}

/** Waits for `condition=Succeeded`, `delete`, … as kubectl does. */
export async function waitFor(client: ControllerClient, target: Target, condition: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const [, type, wanted = 'True'] = /^condition=([A-Za-z]+)(?:=(\w+))?$/.exec(condition) ?? [];
  if (!type && condition !== 'delete') throw new CliError('BadArgument', `--for: ${condition} is neither delete nor condition=TYPE[=STATUS]`);
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    const resource = await client.find(target.kind, target.namespace, target.name);
    if (condition === 'delete') {
      if (!resource) return;
    } else if (!resource) throw new CliError('NotFound', `${target.kind} ${target.name} does not exist`);
    else if (resource.status?.conditions.some((c) => c.type === type && c.status.toLowerCase() === wanted.toLowerCase())) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new CliError('TimedOut', `timed out waiting for ${condition} of ${target.kind} ${target.name}`);
}
