import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseResource, type Kind, type ResourceManifest } from '@caricature/contracts';
import type { readCliEnvironment } from '../cli.env.js';
import { CliError } from '../cli.error.js';
import { ControllerClient, type Resource } from '../controller-client.js';
import { readManifests } from '../manifests.js';
import { LiveView } from '../rendering/live-view.js';
import { renderSummary } from '../rendering/summary.js';
import { watchDisk } from '../services/disk-watch.js';
import { Service, type ServiceOptions } from '../services/service.js';
import { follow, hasEnded, type Target } from './follow.js';

export interface StartOptions {
  once?: boolean;
  file?: string[];
  result?: string;
  photos?: string;
  home?: string;
  port: number;
  inferencePort: number;
  avatarPort: number;
}

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../..');
const DEMONSTRATION = ['avatars.yaml', 'run.yaml'].map((f) => join(ROOT, 'experiments/demo', f));
/** What the inference API answers with where a request names no model. */
const SERVED_MODEL = 'caricature@production';
const DEFAULT_AVATAR_ORIGIN = 'http://127.0.0.1:4010';

/** The controller may die and is started again: this long it is waited for. */
const PATIENCE_MS = 90_000;

/** How the user ends it: `stop` at the next checkpoint, `hurry` at once. */
export interface Interruption {
  stop: AbortSignal;
  hurry: AbortSignal;
}

/**
 * The whole main job on embedded defaults: starts the services, applies the resources, shows how they come along, and serves the result.
 * @returns the process' exit code: 0 only if every resource succeeded
 */
export async function start(options: StartOptions, environment: ReturnType<typeof readCliEnvironment>, out: (text: string) => void, { stop, hurry }: Interruption): Promise<number> {
  const manifests = await wantedManifests(options);
  const home = resolve(options.home ?? environment.home);
  await mkdir(home, { recursive: true });
  const services: Service[] = [];
  const view = new LiveView(environment.interactive, out);
  const stopWatching = watchDisk(home, (line) => view.note(line));
  try {
    const controller = await startServices(services, { options, home, environment: environment.environment, note: (line) => view.note(line), signal: stop });
    const job = runJob(new ControllerClient(controller.url, environment.token, { patienceMs: PATIENCE_MS, signal: stop }), manifests, view, stop);
    const resources = await Promise.race([job, ...services.map((s) => s.lost)]);
    if (options.result) await writeFile(options.result, JSON.stringify(resources, null, 2));
    out(renderSummary(resources, { inferenceUrl: `http://127.0.0.1:${options.inferencePort}`, servedModel: SERVED_MODEL, once: options.once === true }));
    const code = resources.every((r) => r.status?.phase === 'Succeeded') ? 0 : 1;
    if (options.once || code !== 0) return code;
    out(`\nServing, web page ${controller.url}; end with Ctrl-C.\n`);
    await Promise.race([aborted(stop), ...services.map((s) => s.lost)]);
    return 0;
  } catch (error) {
    if (stop.aborted) return 130;
    throw error;
  } finally {
    stopWatching();
    await stopServices(services, { stop, hurry }, out);
  }
}

async function runJob(client: ControllerClient, manifests: ResourceManifest[], view: LiveView, stop: AbortSignal): Promise<Resource[]> {
  await applyAll(client, manifests, (line) => view.note(line));
  return follow(client, manifests.map(targetOf), view, stop);
}

async function stopServices(services: Service[], { stop, hurry }: Interruption, out: (text: string) => void): Promise<void> {
  if (stop.aborted) out('\nStopping: what runs writes its checkpoint (Ctrl-C once more ends it at once) …\n');
  hurry.addEventListener('abort', () => services.forEach((service) => service.hurry()));
  for (const service of services.toReversed()) await service.stop();
  if (stop.aborted) out('Stopped. What was done is kept: the next start goes on from there.\n');
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

async function wantedManifests({ file, photos, avatarPort }: StartOptions): Promise<ResourceManifest[]> {
  const manifests = await readManifests(file ?? DEMONSTRATION);
  if (file && photos) throw new CliError('BadArgument', '--photos is for the demonstration: with -f, name the folder in spec.source.photos.uri');
  return manifests.map((m) => {
    const moved = JSON.parse(JSON.stringify(m).replaceAll(DEFAULT_AVATAR_ORIGIN, `http://127.0.0.1:${avatarPort}`)) as ResourceManifest;
    return photos && moved.kind === 'TrainingRun' ? withPhotos(moved, photos) : moved;
  });
}

/** The demonstration's run on somebody's own photos, a folder a person. */
function withPhotos(run: Extract<ResourceManifest, { kind: 'TrainingRun' }>, folder: string): ResourceManifest {
  const source = { photos: { uri: pathToFileURL(resolve(folder)).href, layout: 'PersonFolders', alreadyCropped: false } };
  return parseResource({ ...run, metadata: { ...run.metadata, name: 'own-photos' }, spec: { ...run.spec, source } });
}

interface Setting {
  options: StartOptions;
  home: string;
  environment: NodeJS.ProcessEnv;
  note: (line: string) => void;
  signal: AbortSignal;
}

/** Starts them one after the other into `services`, so that those which are up can be stopped when one is not; gives the controller. */
async function startServices(services: Service[], { options, home, environment, note, signal }: Setting): Promise<Service> {
  const artifacts = pathToFileURL(join(home, 'artifacts')).href;
  const begin = async (name: string, app: ServiceOptions['app'], port: number, portOption: string, extra: NodeJS.ProcessEnv) => {
    const healthPath = app === 'controller' ? '/readyz' : '/healthz';
    const service = await Service.start({ name, app, port, portOption, environment: { ...environment, ...extra }, logFile: join(home, 'logs', `${app}.log`), healthPath, note }, signal);
    services.push(service);
    return service;
  };
  note('starting the services …');
  await begin('avatar source', 'avatar-source', options.avatarPort, '--avatar-port', {});
  const controller = await begin('controller', 'controller', options.port, '--port', { CARICATURE_HOME: home, CARICATURE_ARTIFACTS_URI: artifacts });
  await begin('inference API', 'inference', options.inferencePort, '--inference-port', {
    CONTROLLER_URL: controller.url,
    ARTIFACTS_URI: artifacts,
    MODEL: SERVED_MODEL,
    MODELS_CACHE: join(home, 'models'),
  });
  note(`web page    ${controller.url}\n`);
  return controller;
}

/** Applies the resources; one that has ended is made anew, so that its stages are looked at again (and taken from the cache where nothing changed). */
async function applyAll(client: ControllerClient, manifests: ResourceManifest[], note: (line: string) => void): Promise<void> {
  for (const manifest of manifests) {
    const { kind, namespace, name } = targetOf(manifest);
    const before = await client.find(kind, namespace, name);
    if (before && (hasEnded(before) || !sameSpec(before, manifest))) await removed(client, { kind, namespace, name });
    const { result } = await client.apply(manifest);
    note(`${manifest.kind} ${name} ${result}`);
  }
}

function sameSpec(before: Resource, manifest: ResourceManifest): boolean {
  const sorted = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(sorted)
    : typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, sorted(v)]))
    : value;
  return JSON.stringify(sorted(before.spec)) === JSON.stringify(sorted(manifest.spec));
}

async function removed(client: ControllerClient, { kind, namespace, name }: Target): Promise<void> {
  await client.delete(kind, namespace, name);
  const deadline = Date.now() + 60_000;
  while (await client.find(kind, namespace, name)) {
    if (Date.now() > deadline) throw new CliError('TimedOut', `${kind} ${name} of an earlier start does not go away: see the controller's log`);
    await new Promise((r) => setTimeout(r, 200));
  }
}

function targetOf({ kind, metadata }: ResourceManifest): Target {
  return { kind: kind as Kind, namespace: metadata.namespace, name: metadata.name };
}
