import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createArtifactStore, publishArtifact } from '@caricature/artifacts';
import type { ReportItem, ResourceOwner, StageAssignment, StageName, StageStatus } from '@caricature/contracts';
import { jobName, type Resource } from '@caricature/reconciler';
import { readControllerEnv } from '../../apps/controller/src/controller.env.js';
import { createController, type Controller } from '../../apps/controller/src/create-controller.js';
import { startS3Server, type S3Server } from '../../libs/artifacts/src/testing/s3.server.js';
import { startControlPlane } from '../cluster/control-plane.mjs';
import { ACCOUNT, aCluster, aMachine, openDatabase, type Place } from './places.js';

const SOON = { timeout: 60_000, interval: 50 };
const CRAWL = { apiVersion: 'caricature.dev/v1alpha1', kind: 'CrawlJob', metadata: { name: 'avatars' }, spec: { source: { baseUrl: 'http://127.0.0.1:1' }, sampling: { count: 10 } } };
const RUN = {
  apiVersion: 'caricature.dev/v1alpha1',
  kind: 'TrainingRun',
  metadata: { name: 'faces' },
  spec: { source: { photos: { uri: 'synthetic://people' } }, target: { crawlJobRef: { name: 'avatars' } }, publish: { model: 'faces' }, backoffLimit: 1 },
};

interface Story {
  history: object[];
  events: string[];
}

/** A whole controller over a place, and its workers, who tell it of their work over HTTP. */
class Stage {
  private sequence = 0;

  constructor(
    private readonly controller: Controller,
    private readonly place: Pick<Place, 'workers' | 'aDriver'>,
    private readonly artifactsUri: string,
  ) {}

  async apply(document: object): Promise<void> {
    const response = await this.send('POST', '/api/v1/resources', document);
    expect(response.status, await response.clone().text()).toBeLessThan(300);
  }

  async find(kind: string, name: string): Promise<Resource> {
    return (await (await fetch(`${this.controller.url}/api/v1/resources/${kind}/default/${name}`)).json()) as Resource;
  }

  async log(kind: string, name: string, stage: StageName, attempt: number): Promise<string> {
    return (await fetch(`${this.controller.url}/api/v1/resources/${kind}/default/${name}/logs?stage=${stage}&attempt=${attempt}`)).text();
  }

  /** An attempt at a stage begins, tells this, and ends so. */
  async attempt(kind: string, name: string, stage: StageName, attempt: number, { items = [], exitCode = 0, log = '', ends = true }: { items?: ReportItem[]; exitCode?: number; log?: string; ends?: boolean } = {}): Promise<void> {
    const owner = await this.ownerOf(kind, name);
    const job = jobName(name, stage, attempt);
    const { assignment, token } = await this.place.workers.begin(owner, job);
    const told = exitCode === 0 && ends ? [...items, await this.make(assignment)] : items;
    if (told.length > 0) {
      const response = await this.send('POST', '/api/v1/reports', { job, stage: assignment.stage, sequence: ++this.sequence, items: told }, token);
      expect(response.status, await response.text()).toBe(200);
    }
    if (ends) await this.place.workers.end(owner, job, exitCode, log);
  }

  async until(kind: string, name: string, holds: (status: NonNullable<Resource['status']>) => boolean): Promise<void> {
    await expect.poll(async () => {
      const { status } = await this.find(kind, name);
      return status && holds(status) ? 'so' : JSON.stringify(status);
    }, SOON).toBe('so');
  }

  /** No worker of a resource is at work any more: one that was told to stop takes its time. */
  async untilQuiet(kind: string, name: string): Promise<void> {
    const owner = await this.ownerOf(kind, name);
    const driver = this.place.aDriver();
    await expect.poll(async () => (await driver.list(owner)).filter(({ state }) => state === 'Running' || state === 'Pending').length, SOON).toBe(0);
  }

  /** What happened to a resource, without what no two runs have in common: times, and addresses of the place. */
  async story(kind: string, name: string): Promise<Story> {
    const { uid } = (await this.find(kind, name)).metadata;
    const history = (await this.controller.database.resources.history(uid)).map(({ change, generation, phase, status }) => ({
      change, generation, phase,
      conditions: status && (status as unknown as NonNullable<Resource['status']>).conditions.map(({ type, status: state, reason, message, observedGeneration }) => [type, state, reason, message, observedGeneration]),
      stages: status && (status as unknown as NonNullable<Resource['status']>).stages.map(withoutTimes),
    }));
    const events = (await this.controller.database.events.list(uid)).map(({ type, reason, message, count }) => `${type} ${reason}: ${message} ×${count}`).sort();
    return { history, events };
  }

  /** Puts a stage's artifact into the store; gives what a worker tells of it. */
  private async make({ stage, key }: StageAssignment): Promise<ReportItem> {
    const dir = await mkdtemp(join(tmpdir(), 'caricature-made-'));
    await writeFile(join(dir, 'made.txt'), stage);
    const store = createArtifactStore(this.artifactsUri);
    const { digest } = await publishArtifact(store, { stage, key, dir });
    store.close();
    await rm(dir, { recursive: true });
    return { type: 'artifact', digest, uri: `s3://artifacts/${stage}`, bytes: 1, from: [], metadata: {} };
  }

  private async ownerOf(kind: string, name: string): Promise<ResourceOwner> {
    const { metadata } = await this.find(kind, name);
    return { kind: kind as ResourceOwner['kind'], namespace: metadata.namespace, name, uid: metadata.uid };
  }

  private send(method: string, path: string, body: object, token?: string): Promise<Response> {
    const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
    return fetch(`${this.controller.url}${path}`, { method, headers, body: JSON.stringify(body) });
  }
}

function withoutTimes({ startTime: _start, completionTime: _completion, ...stage }: StageStatus): object {
  return stage;
}

const at = (stages: StageStatus[], name: StageName) => stages.find((stage) => stage.name === name)!;

/** What users and workers do, the same in both places. */
async function play(stage: Stage): Promise<Record<string, Story>> {
  await stage.apply(RUN);
  await stage.until('TrainingRun', 'faces', ({ stages }) => at(stages, 'prepare-avatars').message !== undefined);
  await stage.apply(CRAWL);
  await stage.attempt('CrawlJob', 'avatars', 'crawl', 1, { items: [{ type: 'counters', values: { images: 10, duplicates: 1, failed: 0, bytes: 99 } }] });
  await stage.until('CrawlJob', 'avatars', ({ phase }) => phase === 'Succeeded');

  // A stage that fails is tried again; one that is suspended goes on.
  await stage.attempt('TrainingRun', 'faces', 'prepare-faces', 1, { exitCode: 1, log: 'out of luck' });
  await stage.until('TrainingRun', 'faces', ({ stages }) => at(stages, 'prepare-faces').attempts === 2);
  await stage.attempt('TrainingRun', 'faces', 'prepare-faces', 2);
  await stage.attempt('TrainingRun', 'faces', 'prepare-avatars', 1);
  // Suspended meanwhile, it would be seen to end before or after that: as it happens.
  await stage.until('TrainingRun', 'faces', ({ stages }) => at(stages, 'prepare-avatars').state === 'Succeeded');
  await stage.attempt('TrainingRun', 'faces', 'pretrain', 1, { ends: false });
  await stage.until('TrainingRun', 'faces', ({ stages }) => at(stages, 'pretrain').state === 'Running');
  await stage.apply({ ...RUN, spec: { ...RUN.spec, suspend: true } });
  await stage.until('TrainingRun', 'faces', ({ phase, stages }) => phase === 'Suspended' && at(stages, 'pretrain').state === 'Pending');
  // Told to go on while the old attempt still ends, it would be seen running for a moment, or not: as it happens.
  await stage.untilQuiet('TrainingRun', 'faces');
  await stage.apply(RUN);
  await stage.attempt('TrainingRun', 'faces', 'pretrain', 2);
  for (const name of ['train', 'evaluate', 'publish'] as const) {
    await stage.attempt('TrainingRun', 'faces', name, 1, { items: [{ type: 'progress', step: 5, totalSteps: 10 }, { type: 'metrics', step: 5, at: new Date().toISOString(), values: { g: 1.5 } }] });
  }
  await stage.until('TrainingRun', 'faces', ({ phase }) => phase === 'Succeeded');

  // Everything is there already: nothing runs.
  await stage.apply({ ...RUN, metadata: { name: 'again' } });
  await stage.until('TrainingRun', 'again', ({ phase }) => phase === 'Succeeded');
  // What asks for something impossible fails at once; what fails too often in the end.
  await stage.apply({ ...RUN, metadata: { name: 'impossible' }, spec: { ...RUN.spec, seed: 2 } });
  await stage.attempt('TrainingRun', 'impossible', 'prepare-faces', 1, { exitCode: 64, items: [{ type: 'failed', code: 'InvalidConfiguration', message: 'spec.source: no people', retryable: false }] });
  await stage.until('TrainingRun', 'impossible', ({ phase }) => phase === 'Failed');
  await stage.apply({ ...CRAWL, metadata: { name: 'unlucky' }, spec: { ...CRAWL.spec, sampling: { count: 11 }, backoffLimit: 1 } });
  for (const attempt of [1, 2]) await stage.attempt('CrawlJob', 'unlucky', 'crawl', attempt, { exitCode: 1, log: 'no route to host' });
  await stage.until('CrawlJob', 'unlucky', ({ phase }) => phase === 'Failed');

  const stories: Record<string, Story> = {};
  for (const [kind, name] of [['CrawlJob', 'avatars'], ['CrawlJob', 'unlucky'], ['TrainingRun', 'faces'], ['TrainingRun', 'again'], ['TrainingRun', 'impossible']] as const) stories[name] = await stage.story(kind, name);
  stories['log'] = { history: [], events: [await stage.log('TrainingRun', 'faces', 'prepare-faces', 1)] };
  return stories;
}

describe('the same resources with and without a cluster', () => {
  const ends: (() => Promise<unknown>)[] = [];
  let home: string;
  let s3: S3Server;

  beforeAll(async () => {
    [home, s3] = await Promise.all([mkdtemp(join(tmpdir(), 'caricature-histories-')), startS3Server()]);
    await s3.createBucket('artifacts');
  }, 60_000);
  afterAll(async () => {
    for (const end of ends.reverse()) await end();
    await s3?.stop();
    await rm(home, { recursive: true, force: true });
  }, 60_000);

  async function withoutCluster(): Promise<Stage> {
    const machine = await aMachine();
    ends.push(() => machine.stop());
    const env = readControllerEnv({ PORT: '0', CARICATURE_HOME: machine.home, CARICATURE_DATABASE_URL: machine.databaseUrl });
    const controller = await createController(env, { worker: [machine.worker] });
    ends.push(() => controller.close());
    return new Stage(controller, machine, env.artifactsUri);
  }

  async function withCluster(): Promise<Stage> {
    const [plane, database] = await Promise.all([startControlPlane({ controllerManager: true }), openDatabase()]);
    const place = await aCluster(plane);
    ends.push(() => place.stop(), () => database.close());
    const { accessKeyId, secretAccessKey } = s3.options.credentials as { accessKeyId: string; secretAccessKey: string };
    Object.assign(process.env, { KUBECONFIG: plane.kubeconfig, CARICATURE_S3_ENDPOINT: s3.options.endpoint, AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey });
    const env = readControllerEnv({
      PORT: '0', CARICATURE_HOME: home, CARICATURE_PLATFORM: 'kubernetes', CARICATURE_DATABASE_URL: database.url, CARICATURE_ARTIFACTS_URI: 's3://artifacts',
      CARICATURE_WORKER_IMAGE: 'worker', CARICATURE_WORKER_SERVICE_ACCOUNT: ACCOUNT, CARICATURE_PUBLIC_URL: 'http://127.0.0.1:1', POD_NAMESPACE: 'default', CARICATURE_NAMESPACES: 'default',
    });
    const controller = await createController(env);
    ends.push(() => controller.close());
    return new Stage(controller, place, env.artifactsUri);
  }

  it('have the same history', async () => {
    const machine = await play(await withoutCluster());
    const cluster = await play(await withCluster());
    expect(Object.keys(machine)).toEqual(['avatars', 'unlucky', 'faces', 'again', 'impossible', 'log']);
    expect(machine['log']!.events).toEqual(['out of luck\n']);
    expect(cluster).toEqual(machine);
  }, 600_000);
});
