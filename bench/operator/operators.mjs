// The operators under measurement, each started as its users start it: one process that works in one namespace.
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { exclusively } from '../../scripts/setup/exclusive.mjs';
import { fingerprint } from '../../scripts/setup/fingerprint.mjs';
import { cacheFolder } from '../../scripts/test/cache.mjs';
import { withGo } from '../../scripts/test/go.mjs';
import { pickPorts } from '../../test/cluster/ports.mjs';
import { Service } from '../../test/cluster/service.mjs';
import { bringPython } from '../harness/python.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const REFERENCE = path.join(ROOT, 'bench/reference');
const KOPF = ['kopf==1.45.2', 'kubernetes-asyncio==36.1.0'];
/** Runs that the operator in Go works on at a time: with more of them it took longer. */
const WORKERS = 8;

const { readControllerEnv } = await import(`${ROOT}/dist/apps/controller/src/controller.env.js`);

/** The controller's settings in `namespace`, as the chart gives them. */
function settings({ plane, postgres }, namespace, port) {
  return {
    CARICATURE_PLATFORM: 'kubernetes',
    CARICATURE_NAMESPACES: namespace,
    CARICATURE_DATABASE_URL: postgres.url,
    CARICATURE_ARTIFACTS_URI: 's3://artifacts',
    CARICATURE_WORKER_IMAGE: 'registry.example/caricature:1',
    CARICATURE_PUBLIC_URL: 'http://caricature-controller:3000',
    CARICATURE_HOME: path.join(plane.folder, 'home'),
    KUBECONFIG: plane.kubeconfig,
    PORT: String(port),
    HOST: '127.0.0.1',
    POD_NAMESPACE: 'default',
    NODE_ENV: 'production',
  };
}

/** What the controller's worker pods have in common. */
export function workerPods(place) {
  return readControllerEnv(settings(place, 'default', 3000)).kubernetes.pods;
}

/** @returns {Promise<{name: string, start: (namespace: string) => Promise<Service>}>} our controller, whose service has `url` */
export async function ourController(place) {
  return {
    name: 'caricature',
    start: async (namespace) => {
      const [port] = await pickPorts(1);
      const service = run(place, `caricature-${namespace}`, await imageCommand(), settings(place, namespace, port));
      return Object.assign(service, { url: `http://127.0.0.1:${port}` });
    },
  };
}

/** As the image starts it, with this checkout in the place of /app. */
async function imageCommand() {
  const dockerfile = await readFile(path.join(ROOT, 'Dockerfile'), 'utf8');
  const [, ...args] = JSON.parse(/^ENTRYPOINT (.*apps\/controller\/.*)$/m.exec(dockerfile)[1]);
  return [process.execPath, ...args.map((arg) => arg.replace(/^\/app\//, `${ROOT}/`))];
}

export async function controllerRuntime(place, work, log) {
  const program = await buildGoOperator(log);
  return {
    name: 'controller-runtime',
    start: async (namespace) => {
      const options = [`--namespace=${namespace}`, `--work=${await workFile(place, work)}`, `--workers=${WORKERS}`];
      return run(place, `go-${namespace}`, [program, ...options]);
    },
  };
}

export async function kopf(place, work, log) {
  const python = await bringPython('kopf-1.45.2', KOPF, log);
  const operator = path.join(REFERENCE, 'operator-kopf/operator.py');
  return {
    name: 'kopf',
    start: async (namespace) => {
      const options = ['--quiet', '--standalone', `--namespace=${namespace}`];
      return run(place, `kopf-${namespace}`, [python, '-m', 'kopf', 'run', operator, ...options], { WORK: await workFile(place, work) });
    },
  };
}

function run({ plane }, name, command, env = {}) {
  const service = new Service({ name, command, folder: plane.folder, env: { KUBECONFIG: plane.kubeconfig, ...env } });
  service.start();
  return service;
}

async function workFile({ plane }, work) {
  const file = path.join(plane.folder, 'work.json');
  await writeFile(file, JSON.stringify(work));
  return file;
}

/** Built once for these sources; there whole or not at all. */
async function buildGoOperator(log) {
  const sources = (await fingerprint(REFERENCE, ['operator-go'])).slice(0, 12);
  const folder = path.join(cacheFolder(), 'bench', `operator-go-${sources}`);
  const program = path.join(folder, 'operator-go');
  await exclusively(folder, async () => {
    if (await access(program).then(() => true, () => false)) return;
    log('building the operator in Go (once, 2 min)');
    const partial = `${folder}.partial-${process.pid}`;
    try {
      await mkdir(partial, { recursive: true });
      const options = { cwd: path.join(REFERENCE, 'operator-go'), env: { CGO_ENABLED: '0' } };
      await withGo(log, (go) => go(['build', '-trimpath', '-o', path.join(partial, 'operator-go'), '.'], options));
      await rename(partial, folder);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }, () => log('another process is building the operator in Go: waiting for it'));
  return program;
}
