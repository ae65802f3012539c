import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createArtifactStore, publishArtifact } from '@caricature/artifacts';
import { parseResource } from '@caricature/contracts';
import { keysToLookUp, type Resource } from '@caricature/reconciler';
import { aController, aCrawlJob, aTrainingRun, type TestController } from '../testing/a-controller.js';
import { observe, type Sources } from './observe.js';

const SOON = { timeout: 20_000 };

describe('an artifact that an earlier run made', () => {
  let controller: TestController;
  beforeAll(async () => void (controller = await aController()));
  afterAll(() => controller.close());

  const sampling = (seed: number) => ({ sampling: { count: 10, seed } });
  const find = async (name: string): Promise<Resource> => (await request(controller.url).get(`/api/v1/resources/CrawlJob/default/${name}`)).body;
  const apply = async (name: string, seed: number) => {
    const { status } = await request(controller.url).post('/api/v1/resources').send(aCrawlJob(name, sampling(seed)));
    expect(status).toBe(200);
  };
  /** Puts there what a crawl would have made; gives its key. */
  async function make(seed: number): Promise<string> {
    const crawl = parseResource(aCrawlJob('earlier', sampling(seed))) as unknown as Resource;
    const [key] = keysToLookUp(crawl, { jobs: [], reports: {}, artifacts: {}, inputs: {}, samples: [] }) as [string];
    const dir = join(controller.home, key);
    await mkdir(dir);
    await writeFile(join(dir, 'avatars.tar'), key);
    const store = createArtifactStore(`file://${controller.home}/artifacts`);
    const { digest } = await publishArtifact(store, { stage: 'crawl', key, dir });
    await controller.database.artifacts.record({ digest, stage: 'crawl', key, uri: `${store.uri}/crawl/${key}`, bytes: 1 });
    return key;
  }

  it('is taken', async () => {
    const key = await make(1);
    await apply('taken', 1);
    await vi.waitFor(async () => expect((await find('taken')).status).toMatchObject({ phase: 'Succeeded', stages: [{ cached: true, artifact: { key } }] }), SOON);
  });

  it('is made again where somebody has deleted it from the store since', async () => {
    const key = await make(2);
    await rm(join(controller.home, 'artifacts/crawl', key, 'artifact.json'));
    await apply('again', 2);
    await vi.waitFor(async () => expect((await find('again')).status).toMatchObject({ phase: 'Running', stages: [{ state: 'Running', attempts: 1 }] }), SOON);
    const { uid } = (await find('again')).metadata;
    expect(JSON.parse(await readFile(join(controller.home, 'jobs', uid, 'again-crawl-1/assignment.json'), 'utf8'))).toMatchObject({ key });
    expect(await controller.database.artifacts.findByKey(key)).toBeUndefined();
  });
});

describe('of a resource that is being deleted', () => {
  it('nothing is gathered but its jobs: what could not be read must not hold it', async () => {
    const { metadata, ...written } = parseResource(aTrainingRun('going'));
    const going = { ...written, metadata: { ...metadata, uid: 'u', deletionTimestamp: '2026-01-01T00:00:00Z' } } as unknown as Resource;
    const job = { name: 'going-train-2', stage: 'train' as const, attempt: 2, state: 'Running' as const, terminal: false, disrupted: false };
    const stopped = { runUid: 'u', stage: 'train', attempt: 1, state: 'Failed', cached: false, key: 'k', startedAt: null, completedAt: null, exitCode: null, message: 'it was stopped', logUri: null, artifactDigest: null };
    const sources = {
      driver: { list: () => Promise.resolve([job]) },
      database: { stages: { list: () => Promise.resolve([stopped]) } },
      folderFingerprint: () => Promise.reject(new Error('the address makes no sense')),
    } as unknown as Sources;
    expect((await observe(going, sources, { has: () => Promise.resolve(true) })).jobs).toMatchObject([job, { name: 'going-train-1', state: 'Failed', message: 'it was stopped' }]);
  });
});
