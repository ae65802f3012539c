import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseResource, type ResourceOwner, type StageAssignment, type StageName } from '@caricature/contracts';
import { FINALIZER, isConflict, jobName, plan, type JobObservation, type Observed, type PodDriver, type Resource, type ResourceKey, type ResourceStatus } from '@caricature/reconciler';
import { startControlPlane } from '../cluster/control-plane.mjs';
import { aCluster, aMachine, type Place } from './places.js';

const SOON = { timeout: 45_000, interval: 20 };
const NOTHING: Observed = { jobs: [], reports: {}, artifacts: {}, inputs: {}, samples: [] };
const PLACES: [string, () => Promise<Place>][] = [
  ['one machine', aMachine],
  ['a cluster', async () => aCluster(await startControlPlane({ controllerManager: true }))],
];

/** What both implementations of ResourceStore and PodDriver promise. */
describe.each(PLACES)('on %s', (_title, aPlace) => {
  let place: Place;
  let made = 0;

  beforeAll(async () => void (place = await aPlace()), 180_000);
  afterAll(() => place?.stop(), 60_000);

  const manifest = (name: string, spec: Record<string, unknown> = {}) =>
    parseResource({ apiVersion: 'caricature.dev/v1alpha1', kind: 'CrawlJob', metadata: { name, namespace: place.namespace, labels: { team: 'x' } }, spec: { source: { baseUrl: 'http://127.0.0.1:1' }, sampling: { count: 10 }, ...spec } });
  const aResource = async (spec?: Record<string, unknown>): Promise<Resource> => (await place.catalog.apply(manifest(`r${++made}`, spec))).resource;
  const keyOf = ({ kind, metadata: { namespace, name } }: Resource): ResourceKey => ({ kind, namespace, name });
  const ownerOf = ({ kind, metadata: { namespace, name, uid } }: Resource): ResourceOwner => ({ kind, namespace, name, uid });
  const statusOf = (resource: Resource, observed = NOTHING): ResourceStatus => JSON.parse(JSON.stringify(plan(resource, observed, Date.now()).status)) as ResourceStatus;
  const named = (resources: Resource[]) => resources.map(({ metadata }) => metadata.name);

  describe('a resource store', () => {
    /** What `watch` tells while `work` goes on. */
    async function watching(work: (changes: string[]) => Promise<void>): Promise<void> {
      const stop = new AbortController();
      const changes: string[] = [];
      const running = place.store.watch(({ name }) => void changes.push(name), stop.signal);
      try {
        await work(changes);
      } finally {
        stop.abort();
        await running;
      }
    }

    it('finds a resource as it was written, by kind, namespace and name', async () => {
      const { metadata, spec } = await aResource({ backoffLimit: 7 });
      const found = (await place.store.find({ kind: 'CrawlJob', ...metadata }))!;
      expect(found).toMatchObject({ kind: 'CrawlJob', spec, metadata: { name: metadata.name, namespace: place.namespace, uid: metadata.uid, generation: 1, labels: { team: 'x' } } });
      expect(found.status).toBeUndefined();
      expect(await place.store.find({ kind: 'TrainingRun', ...metadata })).toBeUndefined();
      expect(await place.store.find({ ...keyOf(found), namespace: 'elsewhere' })).toBeUndefined();
    });

    it('keeps a status, which counts no generation', async () => {
      const resource = await aResource();
      const status = statusOf(resource);
      await place.store.updateStatus(resource, status);
      const found = (await place.store.find(keyOf(resource)))!;
      expect(found.status).toEqual(status);
      expect(found.metadata.generation).toBe(1);
      expect(found.metadata.resourceVersion).not.toBe(resource.metadata.resourceVersion);
    });

    it('refuses the status of a resource that was changed since it was read', async () => {
      const old = await aResource();
      const { resource } = await place.catalog.apply(manifest(old.metadata.name, { suspend: true }));
      expect(resource.metadata.generation).toBe(2);
      const error: unknown = await place.store.updateStatus(old, statusOf(old)).catch((e: unknown) => e);
      expect([isConflict(error), (error as { retryable?: boolean }).retryable]).toEqual([true, true]);
      await place.store.updateStatus(resource, statusOf(resource));
      expect((await place.store.find(keyOf(old)))!.status?.phase).toBe('Suspended');
    });

    it('takes what a user applies while its status is being written', async () => {
      const { metadata } = await aResource();
      for (let round = 1; round <= 20; round++) {
        const now = (await place.store.find({ kind: 'CrawlJob', namespace: metadata.namespace, name: metadata.name }))!;
        const writing = place.store.updateStatus(now, { ...statusOf(now), startTime: new Date(round * 1000).toISOString() }).catch((error: unknown) => expect(isConflict(error)).toBe(true));
        const { resource } = await place.catalog.apply(manifest(metadata.name, { suspend: round % 2 === 1 }));
        expect(resource.spec.suspend).toBe(round % 2 === 1);
        await writing;
      }
    });

    it('lists those of a kind, or only those that are not finished', async () => {
      const [open, done] = [await aResource(), await aResource()];
      await place.store.updateStatus(done, { ...statusOf(done), phase: 'Succeeded', completionTime: new Date().toISOString() });
      expect(named(await place.store.list('CrawlJob'))).toEqual(expect.arrayContaining([open.metadata.name, done.metadata.name]));
      const unfinished = named(await place.store.list('CrawlJob', place.namespace, { unfinished: true }));
      expect(unfinished).toContain(open.metadata.name);
      expect(unfinished).not.toContain(done.metadata.name);
      expect(await place.store.list('CrawlJob', 'elsewhere')).toEqual([]);
      const told = ({ metadata: { namespace, name, uid } }: Resource, phase: string) => ({ kind: 'CrawlJob', namespace, name, uid, phase });
      await watching(async () => {
        await expect.poll(async () => (await place.store.census()).all, SOON).toEqual(expect.arrayContaining([told(open, 'Pending'), told(done, 'Succeeded')]));
        expect((await place.store.census()).unfinishedRuns).toEqual([]);
      });
      expect(await place.store.list('TrainingRun')).toEqual([]);
    });

    it('tells of every resource that there is and of every change, its own too', async () => {
      const before = await aResource();
      await watching(async (changes) => {
        await expect.poll(() => changes, SOON).toContain(before.metadata.name);
        const count = () => changes.filter((name) => name === before.metadata.name).length;
        const seen = count();
        await place.store.updateStatus(before, statusOf(before));
        await expect.poll(count, SOON).toBeGreaterThan(seen);
        const later = await aResource();
        await expect.poll(() => changes, SOON).toContain(later.metadata.name);
        await place.catalog.apply(manifest(later.metadata.name, { suspend: true }));
        await expect.poll(async () => (await place.store.find(keyOf(later)))?.spec.suspend, SOON).toBe(true);
      });
    });

    it('lets go a resource that is deleted, and tells of it', async () => {
      const resource = await aResource();
      await watching(async (changes) => {
        await expect.poll(() => changes, SOON).toContain(resource.metadata.name);
        changes.length = 0;
        await place.store.delete(resource);
        await expect.poll(() => changes, SOON).toContain(resource.metadata.name);
        const marked = await place.store.find(keyOf(resource));
        if (marked) {
          expect(marked.metadata.deletionTimestamp).toBeDefined();
          await place.store.removeFinalizer(marked);
        }
        await expect.poll(() => place.store.find(keyOf(resource)), SOON).toBeUndefined();
      });
    });

    it('holds a resource that is deleted until it is let go', async () => {
      const resource = await aResource();
      await place.store.addFinalizer(resource);
      const held = (await place.store.find(keyOf(resource)))!;
      expect(held.metadata.finalizers).toEqual([FINALIZER]);
      await place.store.addFinalizer(held);
      await place.store.delete(held);
      const marked = (await place.store.find(keyOf(resource)))!;
      expect(marked.metadata).toMatchObject({ uid: held.metadata.uid, deletionTimestamp: expect.any(String) });
      await place.store.removeFinalizer(marked);
      expect(await place.store.find(keyOf(resource))).toBeUndefined();
    });

    it('keeps equal events as one that counts', async () => {
      const resource = await aResource();
      const event = { type: 'Warning' as const, reason: 'QuotaExceeded', message: 'no more' };
      for (let i = 0; i < 3; i++) await place.store.recordEvent(resource, event);
      await place.store.recordEvent(resource, { ...event, type: 'Normal', message: 'enough' });
      await expect.poll(async () => (await place.events(resource)).map(({ message, count }) => [message, count]).sort(), SOON).toEqual([['enough', 1], ['no more', 3]]);
    });
  });

  describe('a pod driver', () => {
    const assignmentOf = (resource: Resource, stage: StageName = 'crawl', attempt = 1): StageAssignment => ({
      job: jobName(resource.metadata.name, stage, attempt), stage, attempt, key: 'k', owner: ownerOf(resource), config: { answer: 42 }, pace: {}, inputs: {},
    });

    /** A driver that follows what goes on, as it does in a controller, with one job of a new resource. */
    async function withJob(work: (parts: { driver: PodDriver; resource: Resource; owner: ResourceOwner; job: string; observe: () => Promise<JobObservation | undefined>; told: string[] }) => Promise<void>): Promise<void> {
      const resource = await aResource();
      const [driver, owner, told, stop] = [place.aDriver(), ownerOf(resource), [] as string[], new AbortController()];
      const watching = driver.watch(({ uid }) => void told.push(uid), stop.signal);
      const assignment = assignmentOf(resource);
      try {
        await driver.create(assignment, {});
        await work({ driver, resource, owner, job: assignment.job, observe: async () => (await driver.list(owner))[0], told });
      } finally {
        stop.abort();
        await watching;
      }
    }

    it('starts a stage with its assignment, and tells how it goes until it has succeeded', async () => {
      await withJob(async ({ resource, owner, job, observe, told }) => {
        await expect.poll(observe, SOON).toMatchObject({ name: job, stage: 'crawl', attempt: 1, terminal: false, disrupted: false });
        const { assignment } = await place.workers.begin(owner, job);
        expect(assignment).toEqual(assignmentOf(resource));
        await expect.poll(async () => (await observe())?.state, SOON).toBe('Running');
        told.length = 0;
        await place.workers.end(owner, job, 0, 'all well');
        await expect.poll(observe, SOON).toMatchObject({ state: 'Succeeded', startTime: expect.any(String), completionTime: expect.any(String) });
        await expect.poll(() => told, SOON).toContain(owner.uid);
      });
    }, 90_000);

    it('makes one job however often it is asked, and leaves the first as it is', async () => {
      await withJob(async ({ driver, resource, owner, job, observe }) => {
        for (const again of [driver, place.aDriver(), place.aDriver()]) await again.create(assignmentOf(resource), { resources: { limits: { memory: '64Mi' } } });
        await place.workers.begin(owner, job);
        expect((await driver.list(owner)).length).toBe(1);
        await place.workers.end(owner, job, 0);
        await expect.poll(async () => (await observe())?.state, SOON).toBe('Succeeded');
        await driver.create(assignmentOf(resource), {});
        expect(await driver.list(owner)).toMatchObject([{ state: 'Succeeded' }]);
      });
    }, 90_000);

    it.each([
      ['a failure, with the end of its log', 1, { terminal: false, disrupted: false, message: 'exit code 1; the last lines of its log:\nout of luck' }],
      ['what is impossible', 64, { terminal: true, disrupted: false, message: 'exit code 64; the last lines of its log:\nout of luck' }],
    ])('tells of %s', async (_case, exitCode, expected) => {
      await withJob(async ({ driver, owner, job, observe }) => {
        await place.workers.begin(owner, job);
        await place.workers.end(owner, job, exitCode, 'out of luck');
        await expect.poll(observe, SOON).toMatchObject({ state: 'Failed', ...expected });
        expect(await driver.log(owner, job)).toBe('out of luck\n');
      });
    }, 90_000);

    it('stops a stage, which is no failure of its own, and does not start it again by itself', async () => {
      await withJob(async ({ driver, owner, job, observe }) => {
        await place.workers.begin(owner, job);
        await expect.poll(async () => (await observe())?.state, SOON).toBe('Running');
        // Asked again until it has ended, as the plan does: one that is only just beginning may not have heard.
        const stopped = async () => {
          await driver.stop(owner, job);
          // A place may forget what was stopped; none says that it failed by itself.
          return (await observe()) ?? { state: 'Failed', disrupted: true };
        };
        await expect.poll(stopped, { ...SOON, interval: 500 }).toMatchObject({ state: 'Failed', disrupted: true });
        await driver.stop(owner, job);
        await driver.stop(owner, 'no-such-job');
      });
    }, 90_000);

    it('lists what is there for a controller that has just started, and only the jobs of the one who is asked for', async () => {
      await withJob(async ({ owner, job, resource, driver }) => {
        const other = await aResource();
        await driver.create(assignmentOf(other), {});
        await driver.create(assignmentOf(resource, 'discover'), {});
        await place.workers.begin(owner, job);
        const jobs = (await place.aDriver().list(owner)).sort((a, b) => a.name.localeCompare(b.name));
        expect(jobs.map(({ name, stage }) => [name, stage])).toEqual([[job, 'crawl'], [`${resource.metadata.name}-discover-1`, 'discover']]);
        expect(jobs[0]!.state).toBe('Running');
        expect(await driver.list({ ...owner, uid: '00000000-0000-0000-0000-000000000000' })).toEqual([]);
      });
    }, 90_000);

    it('has no log of what there is not', async () => {
      await withJob(async ({ driver, owner }) => expect(await driver.log(owner, 'no-such-job')).toBeUndefined());
    });

    it('forgets everything of a resource that is gone', async () => {
      await withJob(async ({ driver, resource, owner, job, observe }) => {
        await place.workers.begin(owner, job);
        await place.workers.end(owner, job, 0);
        await expect.poll(async () => (await observe())?.state, SOON).toBe('Succeeded');
        await place.store.delete(resource);
        await driver.forget(owner);
        await expect.poll(() => driver.list(owner), SOON).toEqual([]);
      });
    }, 90_000);
  });
});
