import type { CoreV1Event } from '@kubernetes/client-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FINALIZER, plan, type Observed, type Resource, type ResourceKey, type ResourceStatus } from '@caricature/reconciler';
import { startControlPlane } from '../../../../test/cluster/control-plane.mjs';
import { eventPath, resourcePath } from '../client/api-path.js';
import { aCrawlJob, TestCluster } from '../testing/test-cluster.js';
import { EventRecorder } from './event-recorder.js';
import { KubernetesResourceStore } from './kubernetes-resource.store.js';
import type { StoredObject } from './stored-object.js';

const SOON = { timeout: 20_000, interval: 20 };
const NOTHING: Observed = { jobs: [], reports: {}, artifacts: {}, inputs: {}, samples: [] };

describe('resources in the API server', () => {
  let cluster: TestCluster;
  let namespace: string;
  let store: KubernetesResourceStore;

  beforeAll(async () => {
    cluster = new TestCluster(await startControlPlane());
    await cluster.installDefinitions();
  }, 180_000);
  afterAll(() => cluster?.stop());
  beforeEach(async () => {
    namespace = await cluster.namespace();
    store = new KubernetesResourceStore({ client: cluster.client, namespaces: [namespace], log: () => undefined });
  });

  const keyOf = (name: string): ResourceKey => ({ kind: 'CrawlJob', namespace, name });
  const create = (name: string, metadata: object = {}) => cluster.createResource({ ...aCrawlJob(name), metadata: { name, ...metadata } }, namespace);
  const statusOf = (resource: Resource): ResourceStatus => plan(resource, NOTHING, Date.now()).status!;
  const events = async () => (await cluster.client.list<CoreV1Event>(eventPath(namespace))).items;

  /** The store while it follows the API server. */
  async function watching<T>(work: (changes: ResourceKey[]) => Promise<T>): Promise<T> {
    const stop = new AbortController();
    const changes: ResourceKey[] = [];
    const running = store.watch((key) => void changes.push(key), stop.signal);
    try {
      return await work(changes);
    } finally {
      stop.abort();
      await running;
    }
  }

  it('has the status that the controller writes, whole, and nothing else changed by it', async () => {
    const resource = await create('a', { labels: { team: 'x' } });
    const status = statusOf(resource);
    await store.updateStatus(resource, status);
    const stored = await cluster.client.get<StoredObject>(resourcePath('CrawlJob', namespace, 'a'));
    expect(stored.status).toEqual(JSON.parse(JSON.stringify(status)) as object);
    expect(stored.metadata).toMatchObject({ generation: 1, labels: { team: 'x' } });
    expect(stored.spec).toEqual(resource.spec);
  });

  it('is listed once at a start, whoever asks meanwhile', async () => {
    await create('a');
    let lists = 0;
    store = new KubernetesResourceStore({ client: cluster.clientOf({ onRequest: (verb) => void (verb === 'list' && lists++) }), namespaces: [namespace], log: () => undefined });
    await watching(async () => {
      expect((await store.census()).all).toEqual([]);
      expect((await store.list('CrawlJob')).map(({ metadata }) => metadata.name)).toEqual(['a']);
      expect(await store.list('TrainingRun')).toEqual([]);
      expect((await store.census()).all.map(({ name }) => name)).toEqual(['a']);
      expect(lists).toBe(2); // a page of each kind
    });
  });

  it('refuses a status that was planned for an older version, and takes the one that was planned anew', async () => {
    const old = await create('a');
    await cluster.kubectl('-n', namespace, 'patch', 'crawljob', 'a', '--type=merge', '-p', '{"spec":{"suspend":true}}');
    await expect(store.updateStatus(old, statusOf(old))).rejects.toMatchObject({ code: 'Conflict', retryable: true });
    const now = (await store.find(keyOf('a')))!;
    await store.updateStatus(now, statusOf(now));
    expect((await store.find(keyOf('a')))!.status).toMatchObject({ phase: 'Suspended', observedGeneration: 2 });
  });

  it('cannot have its status changed along with its spec, nor its spec along with its status', async () => {
    const resource = await create('a');
    await cluster.kubectl('-n', namespace, 'patch', 'crawljob', 'a', '--type=merge', '-p', '{"status":{"phase":"Succeeded"}}');
    expect((await store.find(keyOf('a')))!.status).toBeUndefined();
    await store.updateStatus({ ...resource, metadata: (await store.find(keyOf('a')))!.metadata, spec: { ...resource.spec, suspend: true } } as Resource, statusOf(resource));
    expect((await store.find(keyOf('a')))!.spec.suspend).toBe(false);
  });

  it('that was deleted meanwhile needs no status and no finalizer any more', async () => {
    const resource = await create('a', { finalizers: [FINALIZER] });
    await cluster.client.merge(resourcePath('CrawlJob', namespace, 'a'), { metadata: { finalizers: null } });
    await cluster.client.delete(resourcePath('CrawlJob', namespace, 'a'));
    await store.updateStatus(resource, statusOf(resource));
    await store.removeFinalizer({ ...resource, metadata: { ...resource.metadata, finalizers: [FINALIZER] } } as Resource);
    await store.delete(resource);
  });

  it('marked for deletion stays until its finalizer is taken away, and only ours is', async () => {
    await create('a');
    await cluster.client.merge(resourcePath('CrawlJob', namespace, 'a'), { metadata: { finalizers: [FINALIZER, 'example.org/theirs'] } });
    await cluster.client.delete(resourcePath('CrawlJob', namespace, 'a'));
    const marked = (await store.find(keyOf('a')))!;
    expect(marked.metadata.deletionTimestamp).toBeDefined();
    await store.removeFinalizer(marked);
    expect((await store.find(keyOf('a')))!.metadata.finalizers).toEqual(['example.org/theirs']);
    await cluster.client.merge(resourcePath('CrawlJob', namespace, 'a'), { metadata: { finalizers: null } });
    expect(await store.find(keyOf('a'))).toBeUndefined();
  });

  it('is not deleted in place of one that took its name since', async () => {
    const old = await create('a');
    await cluster.client.delete(resourcePath('CrawlJob', namespace, 'a'));
    const young = await create('a');
    await expect(store.delete(old)).rejects.toMatchObject({ code: 'Conflict' });
    expect((await store.find(keyOf('a')))!.metadata.uid).toBe(young.metadata.uid);
  });

  it('is read from a copy while the store follows the server: the own status at once, changes of others soon', async () => {
    const resource = await create('a');
    await watching(async (changes) => {
      await expect.poll(() => changes.map(({ name }) => name), SOON).toContain('a');
      await store.updateStatus(resource, statusOf(resource));
      expect((await store.find(keyOf('a')))!.status?.phase).toBe('Running');
      await create('b');
      await expect.poll(async () => (await store.list('CrawlJob', namespace)).map((r) => r.metadata.name).sort(), SOON).toEqual(['a', 'b']);
      await cluster.client.delete(resourcePath('CrawlJob', namespace, 'a'));
      await expect.poll(() => store.find(keyOf('a')), SOON).toBeUndefined();
    });
  });

  it('of a namespace that is not worked in is not looked at', async () => {
    const elsewhere = await cluster.namespace();
    await cluster.createResource(aCrawlJob('theirs'), elsewhere);
    await create('ours');
    await watching(async (changes) => {
      await expect.poll(() => changes.length, SOON).toBeGreaterThan(0);
      expect(await store.list('CrawlJob')).toMatchObject([{ metadata: { name: 'ours' } }]);
      expect(changes.every((key) => key.namespace === namespace)).toBe(true);
    });
  });

  it('is told of only when all are here, and read without asking for each, finished ones too', async () => {
    const all = await Promise.all(['a', 'b', 'c'].map((name) => create(name)));
    const done = { ...statusOf(all[0]!), phase: 'Succeeded' as const, completionTime: new Date().toISOString() };
    await store.updateStatus(all[0]!, done);
    const asked: string[] = [];
    const client = cluster.clientOf({ onRequest: (verb) => asked.push(verb) });
    store = new KubernetesResourceStore({ client, namespaces: [namespace], log: () => undefined });
    const stop = new AbortController();
    const read: Promise<Resource | undefined>[] = [];
    const running = store.watch((key) => void read.push(store.find(key)), stop.signal);
    await expect.poll(() => read.length, SOON).toBe(3);
    expect((await Promise.all(read)).map((r) => [r?.metadata.name, r?.status?.phase])).toEqual([['a', 'Succeeded'], ['b', undefined], ['c', undefined]]);
    expect((await store.find(keyOf('a')))?.status).toEqual(JSON.parse(JSON.stringify(done)));
    expect(asked.filter((verb) => verb === 'get')).toEqual([]);
    stop.abort();
    await running;
  });

  it('has equal events as one that counts, on after a restart of the controller', async () => {
    const resource = await create('a');
    const event = { type: 'Warning' as const, reason: 'QuotaExceeded', message: 'no more' };
    const recorder = new EventRecorder(cluster.client, () => undefined);
    for (let i = 0; i < 3; i++) recorder.record(resource, event);
    recorder.record(resource, { ...event, message: 'another' });
    await recorder.flush();
    const next = new EventRecorder(cluster.client, () => undefined);
    for (let i = 0; i < 2; i++) next.record(resource, event);
    await next.flush();
    const written = (await events()).map(({ message, count, involvedObject }) => ({ message, count, uid: involvedObject.uid }));
    const uid = resource.metadata.uid;
    expect(written.sort((a, b) => a.message!.localeCompare(b.message!))).toEqual([{ message: 'another', count: 1, uid }, { message: 'no more', count: 5, uid }]);
    expect(await cluster.kubectl('-n', namespace, 'describe', 'crawljob', 'a')).toMatch(/Warning\s+QuotaExceeded\s+.*\(x5 over .*no more/);
  });

  it('is worked on though its events cannot be written', async () => {
    const said: string[] = [];
    const recorder = new EventRecorder(cluster.clientOf({ token: 'not-a-token' }), (line) => void said.push(line));
    recorder.record(await create('a'), { type: 'Normal', reason: 'StageStarted', message: 'started' });
    await recorder.flush();
    expect(said).toEqual([expect.stringContaining('an event was not written')]);
  });
});
