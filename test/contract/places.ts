// The two places where resources live and stages run, each with what a user and a worker do there. Nothing in them is a double: the workers
// are real processes on one machine, and on a cluster, where no node is, a kubelet's words.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CoreV1Event } from '@kubernetes/client-node';
import { applyMigrations, createDatabase, type Database } from '@caricature/database';
import { KubernetesCatalog, KubernetesResourceStore, JobDriver } from '@caricature/kubernetes';
import { PostgresResourceStore, ProcessDriver, startScratchPostgres } from '@caricature/local';
import type { PodDriver, Resource, ResourceStore } from '@caricature/reconciler';
import type { ResourceOwner, StageAssignment } from '@caricature/contracts';
import { DatabaseCatalog } from '../../apps/controller/src/platform/database.catalog.js';
import type { ResourceCatalog } from '../../apps/controller/src/platform/platform.js';
import { eventPath } from '../../libs/kubernetes/src/client/api-path.js';
import { FakeKubelet } from '../../libs/kubernetes/src/testing/fake-kubelet.js';
import { TestCluster } from '../../libs/kubernetes/src/testing/test-cluster.js';
import { aWorkerPods } from '../../libs/kubernetes/src/testing/worker-pods.js';
import type { ControlPlane } from '../cluster/control-plane.mjs';

/** A worker that does as it is told: it begins when it is let, and ends as it is asked to. One that is stopped ends with code 75. */
export interface Workers {
  /** Waits for the process or pod of a job, and has it run. */
  begin(owner: ResourceOwner, job: string): Promise<WorkerIdentity>;
  end(owner: ResourceOwner, job: string, exitCode: number, log?: string): Promise<void>;
}

export interface WorkerIdentity {
  assignment: StageAssignment;
  /** What it shows the controller. */
  token: string;
}

export interface Place {
  namespace: string;
  catalog: ResourceCatalog;
  store: ResourceStore;
  /** A driver as a controller makes it that has just started. */
  aDriver(): PodDriver;
  workers: Workers;
  /** Those that were recorded, as the place keeps them. */
  events(resource: Resource): Promise<{ type: string; reason: string; message: string; count: number }[]>;
  stop(): Promise<void>;
}

/** What a controller of a machine is given. */
export interface Machine {
  home: string;
  databaseUrl: string;
  /** The worker's program. */
  worker: string;
}

export const ACCOUNT = 'caricature-worker';

/** Runs until a file says how to end. */
const WORKER = `
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
const end = dirname(process.argv[process.argv.indexOf('--assignment') + 1]) + '/end';
process.on('SIGTERM', () => process.exit(75));
setInterval(() => {
  if (!existsSync(end)) return;
  const { exitCode, log } = JSON.parse(readFileSync(end, 'utf8'));
  if (log) console.log(log);
  process.exit(exitCode);
}, 20);
`;

export async function openDatabase(): Promise<{ database: Database; url: string; close: () => Promise<void> }> {
  const postgres = await startScratchPostgres();
  await applyMigrations({ url: postgres.url });
  const database = createDatabase(postgres.url);
  const close = async () => {
    await database.close();
    await postgres.stop();
  };
  return { database, url: postgres.url, close };
}

/** One machine: Postgres and child processes. */
export async function aMachine(): Promise<Place & Machine> {
  const [home, { database, url: databaseUrl, close }] = await Promise.all([mkdtemp(join(tmpdir(), 'caricature-place-')), openDatabase()]);
  const worker = join(home, 'worker.mjs');
  await writeFile(worker, WORKER);
  const root = join(home, 'jobs');
  const aDriver = () => new ProcessDriver({ root, worker: [worker], environment: {}, pollMs: 20, graceMs: 5_000 });
  return {
    home,
    databaseUrl,
    worker,
    namespace: 'default',
    catalog: new DatabaseCatalog(database),
    store: new PostgresResourceStore(database),
    aDriver,
    workers: new ProcessWorkers(root),
    events: ({ metadata }) => database.events.list(metadata.uid),
    stop: async () => {
      await aDriver().stopAll();
      await close();
      await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/** A cluster: an API server with the controllers of Jobs, and a kubelet's words. */
export async function aCluster(plane: ControlPlane): Promise<Place & { cluster: TestCluster }> {
  const cluster = new TestCluster(plane);
  await cluster.installDefinitions();
  const kubelet = await FakeKubelet.on(cluster);
  kubelet.obey();
  const { client } = cluster;
  const namespace = 'default';
  await cluster.kubectl('create', 'serviceaccount', ACCOUNT);
  const following = { client, namespaces: [namespace], log: () => undefined };
  return {
    namespace,
    cluster,
    catalog: new KubernetesCatalog(following),
    store: new KubernetesResourceStore(following),
    aDriver: () => new JobDriver({ ...following, pods: aWorkerPods() }),
    workers: new PodWorkers(cluster, kubelet),
    events: async ({ metadata }) => {
      const { items } = await client.list<CoreV1Event>(eventPath(metadata.namespace), { fieldSelector: `involvedObject.uid=${metadata.uid}` });
      return items.map(({ type = '', reason = '', message = '', count = 0 }) => ({ type, reason, message, count }));
    },
    stop: async () => {
      kubelet.stop();
      await cluster.stop();
    },
  };
}

export class ProcessWorkers implements Workers {
  /** `root`: where the jobs' folders are. */
  constructor(private readonly root: string) {}

  async begin({ uid }: ResourceOwner, job: string): Promise<WorkerIdentity> {
    const file = (name: string) => join(this.root, uid, job, name);
    for (const deadline = performance.now() + 45_000; !existsSync(file('process.json')); await new Promise((resolve) => setTimeout(resolve, 20))) {
      if (performance.now() > deadline) throw new Error(`no process of ${job}`);
    }
    const [assignment, token] = await Promise.all([readFile(file('assignment.json'), 'utf8'), readFile(file('token'), 'utf8')]);
    return { assignment: JSON.parse(assignment) as StageAssignment, token };
  }

  async end({ uid }: ResourceOwner, job: string, exitCode: number, log = ''): Promise<void> {
    await writeFile(join(this.root, uid, job, 'end.partial'), JSON.stringify({ exitCode, log }));
    await rename(join(this.root, uid, job, 'end.partial'), join(this.root, uid, job, 'end'));
  }
}

export class PodWorkers implements Workers {
  constructor(
    private readonly cluster: TestCluster,
    private readonly kubelet: FakeKubelet,
  ) {}

  async begin({ namespace }: ResourceOwner, job: string): Promise<WorkerIdentity> {
    const { metadata } = await this.kubelet.start(namespace, job);
    const bound = ['--audience=caricature', '--bound-object-kind=Pod', `--bound-object-name=${metadata!.name}`];
    const token = (await this.cluster.kubectl('-n', namespace, 'create', 'token', ACCOUNT, ...bound)).trim();
    return { assignment: JSON.parse(metadata!.annotations!['caricature.dev/assignment']!) as StageAssignment, token };
  }

  end({ namespace }: ResourceOwner, job: string, exitCode: number, log = ''): Promise<void> {
    return this.kubelet.end(namespace, job, exitCode, { tail: log });
  }
}
