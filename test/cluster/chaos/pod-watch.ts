import { setTimeout as sleep } from 'node:timers/promises';
import { workerPods, type Reach } from './interruptions.js';

/** Looks all the time whether two pods work on one stage of one run. */
export class PodWatch {
  readonly found = new Set<string>();
  looks = 0;

  constructor(private readonly reach: Pick<Reach, 'access' | 'namespace'>) {}

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // The API server may be away: then nobody can begin a pod either.
      await this.look().catch(() => undefined);
      await sleep(500, undefined, { signal }).catch(() => undefined);
    }
  }

  private async look(): Promise<void> {
    const at = new Map<string, string[]>();
    for (const { metadata, status } of await workerPods(this.reach)) {
      if (!status.containerStatuses?.some(({ state }: { state: { running?: object } }) => state.running)) continue;
      const { 'caricature.dev/name': run, 'caricature.dev/stage': stage } = metadata.labels ?? {};
      const key = `${run} ${stage}`;
      at.set(key, [...(at.get(key) ?? []), metadata.name]);
    }
    this.looks++;
    for (const [key, pods] of at) if (pods.length > 1) this.found.add(`${key}: ${pods.sort().join(' and ')}`);
  }
}
