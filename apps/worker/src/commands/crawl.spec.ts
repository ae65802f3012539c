import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createArtifactStore, createWorkArea, findArtifact, publishArtifact, type Artifact, type ArtifactStore } from '@caricature/artifacts';
import { API_VERSION, crawlStages, parseResource, type CrawlJob, type ReportItem, type StageAssignment } from '@caricature/contracts';
import { crawl as crawlFolder } from '@caricature/crawler';
import { aCrawl, drawing, startMisbehavingServer, type MisbehavingServer } from '../../../../libs/crawler/src/testing/misbehaving.server.js';
import { createInput, runStage, scratchFolder, type WorkArea } from '../stage.js';
import { crawl } from './crawl.js';

const KEY = 'a'.repeat(64);
const COUNT = 45;
const IMAGES_PER_SHARD = 10;

let server: MisbehavingServer;
let folder: string;
let store: ArtifactStore;
let reports: ReportItem[][];

beforeEach(async () => {
  server = await startMisbehavingServer();
  folder = await mkdtemp(join(tmpdir(), 'caricature-crawl-stage-'));
  store = createArtifactStore(`file://${join(folder, 'store')}`);
  reports = [];
});
afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const renders = () => server.asked.filter((path) => path.includes('/render/'));
const workLeft = () => store.list('work');
const found = () => findArtifact(store, 'crawl', KEY);

interface Run {
  /** Another process with nothing of the last on its disk. */
  pod?: string;
  uid?: string;
  within?: (work: WorkArea) => WorkArea;
  signal?: AbortSignal;
}

/** The stage as the worker of one part runs it. */
async function run(index: number, of: number, changes: Run = {}): Promise<Artifact | undefined> {
  const { pod = 'pod', uid = 'one', within = (work) => work, signal = new AbortController().signal } = changes;
  const { spec } = parseResource({
    apiVersion: API_VERSION,
    kind: 'CrawlJob',
    metadata: { name: 'avatars' },
    spec: {
      source: { baseUrl: server.baseUrl },
      sampling: { count: COUNT, seed: 7 },
      image: { width: 64, height: 64 },
      politeness: { requestsPerSecond: 5000 },
      output: { imagesPerShard: IMAGES_PER_SHARD },
      parallelism: of,
    },
  }) as CrawlJob;
  const { config, pace } = crawlStages(spec).at(-1)!;
  const owner = { kind: 'CrawlJob', namespace: 'default', name: 'avatars', uid } as const;
  const assignment: StageAssignment = { job: 'avatars-crawl-1', stage: 'crawl', attempt: 1, key: KEY, owner, config: config(spec), pace: pace!(spec), inputs: {} };
  const part = { index, of };
  const told = (reports[index] ??= []);
  return runStage(crawl, {
    assignment,
    part,
    config: { ...assignment.config, ...assignment.pace },
    store,
    work: within(createWorkArea(store, assignment)),
    scratchDir: scratchFolder(join(folder, pod), assignment, part),
    signal,
    report: (item) => void told.push(item),
    unsentReports: async () => [],
    flushReports: async () => {},
    log: () => {},
    input: createInput(store, assignment, join(folder, 'inputs')),
  });
}

/** What one process that crawls all of it makes. */
async function undivided(): Promise<Artifact> {
  const dir = join(folder, 'undivided');
  await crawlFolder(aCrawl(server, dir, { sampling: { count: COUNT, seed: 7 }, output: { imagesPerShard: IMAGES_PER_SHARD } }));
  server.asked.length = 0;
  return publishArtifact(store, { stage: 'undivided', key: KEY, dir });
}

/** Ends the process once a part has said that it is done. */
const killedWhenDone = (work: WorkArea): WorkArea => ({
  ...work,
  put: async (name, content) => {
    const written = await work.put(name, content);
    if (name.endsWith('done.json')) throw new Error('killed');
    return written;
  },
});

/** Does something before the first shard of another part is read. */
const beforeReading =
  (act: () => Promise<unknown>) =>
  (work: WorkArea): WorkArea => {
    let acted: Promise<unknown> | undefined;
    return { ...work, open: async (...of) => (acted ??= act()).then(() => work.open(...of)) };
  };

describe('a crawl by one process', () => {
  it('publishes what it crawled, and saves nothing aside', async () => {
    const { digest } = await undivided();
    const putAside: string[] = [];
    const artifact = await run(0, 1, { within: (work) => ({ ...work, put: (name, content) => (putAside.push(name), work.put(name, content)) }) });
    expect(artifact).toMatchObject({ digest, metadata: { shards: 5, combinations: '240', metrics: { images: COUNT, duplicates: 0, failed: 0 } } });
    expect(putAside).toEqual([]);
    expect(renders()).toHaveLength(COUNT);
  });
});

describe('a crawl that several processes share', () => {
  it.each([
    ['two, one after the other', [0, 1]],
    ['two, the first one last', [1, 0]],
    ['three, one after the other', [0, 1, 2]],
    ['three, in another order', [2, 0, 1]],
  ])('by %s, is one artifact with each sample once, which the last publishes', async (_title, order) => {
    const { digest, files } = await undivided();
    const last = order.at(-1)!;
    for (const index of order.slice(0, -1)) {
      expect(await run(index, order.length, { pod: `pod-${index}` })).toBeUndefined();
      expect(await found()).toBeUndefined();
    }
    const artifact = await run(last, order.length, { pod: `pod-${last}` });
    expect(artifact).toMatchObject({ digest, metadata: { shards: 5, combinations: '240', library: 'bitmoji', metrics: { images: COUNT, duplicates: 0, failed: 0 } } });
    expect(artifact?.files.map(({ path }) => path)).toEqual(files.map(({ path }) => path));
    expect(renders()).toHaveLength(COUNT);
    expect(new Set(renders()).size).toBe(COUNT);
    expect(await workLeft()).toEqual([]);
  });

  it.each([2, 3, 7])('by %i at once, is the same artifact', async (of) => {
    const { digest } = await undivided();
    const ended = await Promise.all(Array.from({ length: of }, (_, index) => run(index, of)));
    expect(ended.flatMap((artifact) => artifact?.digest ?? [])).toContain(digest);
    expect(new Set(ended.flatMap((artifact) => artifact?.digest ?? [])).size).toBe(1);
    expect(renders()).toHaveLength(COUNT);
    expect(new Set(renders()).size).toBe(COUNT);
    expect(await workLeft()).toEqual([]);
  });

  it('counts as one process does: pictures that are alike in two parts, and samples that are refused', async () => {
    const alike = await drawing(new URL('http://one/'));
    server.fault = (request, response) => {
      const index = renders().indexOf(request.url!);
      if (index === 3 || index === 30) return !!response.setHeader('content-type', 'image/png').end(alike);
      return index === 35 && !!response.writeHead(404).end('no such option');
    };
    await run(0, 2);
    expect(await run(1, 2)).toMatchObject({ metadata: { metrics: { images: COUNT - 1, duplicates: 1, failed: 1 } } });
  });

  it('goes on where a part was killed between saying that it is done and looking at the others', async () => {
    const { digest } = await undivided();
    await expect(run(1, 2, { within: killedWhenDone })).rejects.toThrow('killed');
    await expect(run(0, 2, { within: killedWhenDone })).rejects.toThrow('killed');
    expect(await found()).toBeUndefined();
    // In its place comes a pod with an empty disk.
    expect(await run(1, 2, { pod: 'another' })).toMatchObject({ digest });
    expect(renders()).toHaveLength(COUNT);
    expect(await workLeft()).toEqual([]);
  });

  it('goes on where it was when a part was stopped in the middle and is started again on the same disk', async () => {
    const { digest } = await undivided();
    const stop = new AbortController();
    server.fault = () => {
      if (renders().length === 15) stop.abort();
      return false;
    };
    await expect(run(0, 2, { signal: stop.signal })).rejects.toMatchObject({ code: 'Aborted' });
    await run(0, 2);
    expect(await run(1, 2)).toMatchObject({ digest });
    // Those in flight then: half of the resource's four connections.
    expect(renders().length).toBeLessThanOrEqual(COUNT + 2);
  });

  it('draws from the catalog with which its first part began', async () => {
    const { digest } = await undivided();
    await run(0, 2);
    server.catalog = { ...server.catalog, hat: [-1, 1] };
    server.fault = async (request, response) => !!response.setHeader('content-type', 'image/png').end(await drawing(new URL(request.url!, server.baseUrl)));
    expect(await run(1, 2)).toMatchObject({ digest });
  });

  it('is taken from whoever publishes it first, when two join it', async () => {
    const { digest } = await undivided();
    await expect(run(0, 2, { within: killedWhenDone })).rejects.toThrow('killed');
    const first = beforeReading(() => run(0, 2, { pod: 'first' }));
    expect(await run(1, 2, { pod: 'second', within: first })).toMatchObject({ digest });
    expect(renders()).toHaveLength(COUNT);
    expect(await workLeft()).toEqual([]);
  });

  it('fetches anew what was lost of a part that was done', async () => {
    const { digest } = await undivided();
    await run(0, 2);
    const lost = (await workLeft()).find(({ name }) => name.endsWith('avatars-000004.tar'))!;
    await store.remove(lost.name);
    expect(await run(1, 2, { pod: 'another' })).toMatchObject({ digest });
    expect(renders()).toHaveLength(COUNT + (COUNT % IMAGES_PER_SHARD));
  });

  it('shares nothing with another resource that crawls the same', async () => {
    const { digest } = await undivided();
    await run(0, 2);
    expect(await run(1, 2, { uid: 'another' })).toBeUndefined();
    expect(await run(1, 2)).toMatchObject({ digest });
    // The other's first part finds it done.
    const asked = renders().length;
    expect(await run(0, 2, { uid: 'another' })).toMatchObject({ digest });
    expect(renders()).toHaveLength(asked);
  });

  it('is told of by its first part, and counted whole by the one that joins it', async () => {
    await run(0, 2);
    await run(1, 2);
    const progress = reports[0]!.filter((item) => item.type === 'progress');
    expect(progress.at(-1)).toMatchObject({ step: COUNT, totalSteps: COUNT });
    expect(reports[0]!.filter((item) => item.type === 'counters').at(-1)).toMatchObject({ values: { images: 25 } });
    expect(reports[1]!.map(({ type }) => type)).toEqual(['counters', 'artifact']);
    expect(reports[1]![0]).toMatchObject({ values: { images: COUNT, failed: 0 } });
  });
});
