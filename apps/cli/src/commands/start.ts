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
import { Service } from '../services/service.js';
import { follow, hasEnded, type Target } from './follow.js';

export interface StartOptions {
  once?: boolean;
  file?: string[];
  result?: string;
  photos?: string;
  home?: string;
  port: string;
  inferencePort: string;
  avatarPort: string;
}

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../..');
const DEMONSTRATION = ['avatars.yaml', 'run.yaml'].map((f) => join(ROOT, 'experiments/demo', f));
const DEFAULT_AVATAR_ORIGIN = 'http://127.0.0.1:4010';

/**
 * The whole main job on embedded defaults: starts the services, applies the resources, shows how they come along, and serves the result.
 * @returns the process' exit code: 0 only if every resource succeeded
 */
export async function start(options: StartOptions, environment: ReturnType<typeof readCliEnvironment>, out: (text: string) => void, signal: AbortSignal): Promise<number> {
  const manifests = await wantedManifests(options);
  const home = resolve(options.home ?? environment.home);
  await mkdir(home, { recursive: true });
  const services: Service[] = [];
  try {
    const controller = await startServices(services, options, home, environment.environment, out);
    const client = new ControllerClient(controller.url, environment.token);
    out(`web page    ${controller.url}\n\n`);
    await applyAll(client, manifests, out);
    const resources = await follow(client, manifests.map(targetOf), new LiveView(environment.interactive, out), signal);
    if (options.result) await writeFile(options.result, JSON.stringify(resources, null, 2));
    const inferenceUrl = `http://127.0.0.1:${options.inferencePort}`;
    out(renderSummary(resources, { inferenceUrl, webUrl: controller.url, once: options.once === true }));
    const code = resources.every((r) => r.status?.phase === 'Succeeded') ? 0 : 1;
    if (options.once || code !== 0) return code;
    out('\nServing; end with Ctrl-C.\n');
    await untilStopped(services, signal);
    return 0;
  } catch (error) {
    if (signal.aborted) {
      out('\nStopped. What was done is kept: the next start goes on from there.\n');
      return 130;
    }
    throw error;
  } finally {
    for (const service of services.reverse()) await service.stop();
  }
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

async function startServices(services: Service[], options: StartOptions, home: string, environment: NodeJS.ProcessEnv, out: (text: string) => void): Promise<Service> {
  const artifacts = pathToFileURL(join(home, 'artifacts')).href;
  const begin = async (name: string, app: 'controller' | 'inference' | 'avatar-source', port: string, portOption: string, extra: NodeJS.ProcessEnv) => {
    const service = await Service.start({
      name,
      app,
      port: Number(port),
      portOption,
      environment: { ...environment, ...extra },
      logFile: join(home, 'logs', `${app}.log`),
      healthPath: app === 'controller' ? '/readyz' : '/healthz',
    });
    services.push(service);
    return service;
  };
  out('starting the services …\n');
  await begin('avatar source', 'avatar-source', options.avatarPort, '--avatar-port', {});
  const controller = await begin('controller', 'controller', options.port, '--port', { CARICATURE_HOME: home, CARICATURE_ARTIFACTS_URI: artifacts });
  await begin('inference API', 'inference', options.inferencePort, '--inference-port', {
    CONTROLLER_URL: controller.url,
    ARTIFACTS_URI: artifacts,
    MODEL: 'caricature@production',
    MODELS_CACHE: join(home, 'models'),
  });
  return controller;
}

/** Applies the resources; one that has ended is made anew, so that its stages are looked at again (and taken from the cache where nothing changed). */
async function applyAll(client: ControllerClient, manifests: ResourceManifest[], out: (text: string) => void): Promise<void> {
  for (const manifest of manifests) {
    const { kind, namespace, name } = targetOf(manifest);
    const before = await client.find(kind, namespace, name);
    if (before && (hasEnded(before) || !sameSpec(before, manifest))) await removed(client, { kind, namespace, name });
    const { result } = await client.apply(manifest);
    out(`${manifest.kind} ${name} ${result}\n`);
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

async function untilStopped(services: Service[], signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
    for (const s of services) s.onExit(() => reject(new CliError('ServiceFailed', `the ${s.options.name} ended: see ${s.options.logFile}`)));
  });
}
