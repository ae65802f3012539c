import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createController, type Controller, type ControllerOptions } from '../create-controller.js';
import { readControllerEnv } from '../controller.env.js';

export interface TestController extends Controller {
  home: string;
}

/** A worker that waits to be stopped: the tests report in its place, with its token. */
const IDLE_WORKER = "process.on('SIGTERM', () => process.exit(75)); setInterval(() => {}, 1000);\n";

/** A whole controller on an embedded database in a temporary folder. */
export async function aController(values: Record<string, string> = {}, options: Pick<ControllerOptions, 'reconciles'> = {}): Promise<TestController> {
  const home = await mkdtemp(join(tmpdir(), 'caricature-controller-'));
  const worker = join(home, 'worker.mjs');
  await writeFile(worker, IDLE_WORKER);
  const controller = await createController(readControllerEnv({ PORT: '0', CARICATURE_HOME: home, ...values }), { ...options, worker: [worker] });
  const close = async () => {
    await controller.close();
    await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  return { ...controller, home, close };
}

export function aCrawlJob(name: string, spec: Record<string, unknown> = {}) {
  return {
    apiVersion: 'caricature.dev/v1alpha1',
    kind: 'CrawlJob',
    metadata: { name },
    spec: { source: { baseUrl: 'http://127.0.0.1:1' }, sampling: { count: 10 }, ...spec },
  };
}

export function aTrainingRun(name: string, spec: Record<string, unknown> = {}) {
  return {
    apiVersion: 'caricature.dev/v1alpha1',
    kind: 'TrainingRun',
    metadata: { name },
    spec: { source: { photos: { uri: 'synthetic://people' } }, target: { crawlJobRef: { name: 'nothing' } }, publish: { model: 'faces' }, ...spec },
  };
}
