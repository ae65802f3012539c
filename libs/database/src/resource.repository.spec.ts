import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type EmbeddedPostgres, startScratchPostgres } from '../../local/src/postgres/index.js';
import { createDatabase } from './database.js';
import { AlreadyExistsError, ConflictError, NotFoundError } from './errors.js';
import { applyMigrations } from './migrate.js';
import type { Database } from './ports.js';
import type { NewResource, ResourceChange } from './rows.js';

let postgres: EmbeddedPostgres;
let database: Database;

beforeAll(async () => {
  postgres = await startScratchPostgres();
  await applyMigrations({ url: postgres.url });
  database = createDatabase(postgres.url);
});
afterAll(async () => {
  await database.close();
  await postgres.stop();
});

const aRun = (change: Partial<NewResource> = {}): NewResource => ({
  apiVersion: 'caricature.dev/v1alpha1', kind: 'TrainingRun', namespace: randomUUID(), name: 'faces', spec: { seed: 1 }, ...change,
});
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('resources', () => {
  it('are found as they were created', async () => {
    const run = aRun({ labels: { team: 'a' }, annotations: { note: 'ü' }, spec: { nested: { list: [1, null, 'x'] } } });
    const created = await database.resources.create(run);
    expect(created).toMatchObject({ ...run, generation: 1, status: null, finalizers: [], deletionTimestamp: null });
    expect(Math.abs(created.createdAt.getTime() - Date.now())).toBeLessThan(60_000);
    expect(await database.resources.get(run)).toEqual(created);
    expect(await database.resources.findByUid(created.uid)).toEqual(created);
  });

  it('have one owner of a name', async () => {
    const run = aRun();
    const results = await Promise.allSettled([database.resources.create(run), database.resources.create(run)]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(database.resources.create(run)).rejects.toThrow(AlreadyExistsError);
  });

  it('are listed by kind, namespace and labels', async () => {
    const namespace = randomUUID();
    await database.resources.create(aRun({ namespace, name: 'a', labels: { team: 'x', 'a.b/c': '1' } }));
    await database.resources.create(aRun({ namespace, name: 'b', labels: { team: 'y' } }));
    await database.resources.create(aRun({ namespace, name: 'c', kind: 'CrawlJob' }));
    const names = async (filter: object) => (await database.resources.list({ namespace, ...filter })).map(({ name }) => name);
    expect(await names({})).toEqual(['a', 'b', 'c']);
    expect(await names({ kind: 'TrainingRun' })).toEqual(['a', 'b']);
    expect(await names({ labels: { team: 'x', 'a.b/c': '1' } })).toEqual(['a']);
  });

  it('count generations for the spec only', async () => {
    const run = aRun({ spec: { a: 1, b: 2 } });
    const created = await database.resources.create(run);
    const labelled = await database.resources.updateSpec(run, { spec: { b: 2, a: 1 }, labels: { l: '1' } });
    const changed = await database.resources.updateSpec(run, { spec: { a: 2 } });
    expect([created, labelled, changed].map(({ generation }) => generation)).toEqual([1, 1, 2]);
    expect(changed.labels).toEqual({ l: '1' });
  });

  it('refuse a write that read an older version', async () => {
    const run = aRun();
    const { resourceVersion } = await database.resources.create(run);
    const updated = await database.resources.updateStatus(run, { phase: 'Running' }, { resourceVersion });
    expect(BigInt(updated.resourceVersion)).toBeGreaterThan(BigInt(resourceVersion));
    await expect(database.resources.updateStatus(run, { phase: 'Failed' }, { resourceVersion })).rejects.toThrow(ConflictError);
    await expect(database.resources.updateSpec(run, { spec: {}, resourceVersion })).rejects.toThrow(ConflictError);
    await expect(database.resources.delete(run, { resourceVersion })).rejects.toThrow(ConflictError);
    expect((await database.resources.get(run)).status).toEqual({ phase: 'Running' });
  });

  it('let one of two writers with the same version through', async () => {
    const run = aRun();
    const { resourceVersion } = await database.resources.create(run);
    const writes = ['Running', 'Failed'].map((phase) => database.resources.updateStatus(run, { phase }, { resourceVersion }));
    expect((await Promise.allSettled(writes)).map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('keep their version when the status is the same', async () => {
    const run = aRun();
    await database.resources.create(run);
    const first = await database.resources.updateStatus(run, { phase: 'Running', stages: [] });
    const second = await database.resources.updateStatus(run, { stages: [], phase: 'Running' });
    expect(second.resourceVersion).toBe(first.resourceVersion);
  });

  it('with finalizers are marked, and go with the last of them', async () => {
    const run = aRun({ finalizers: ['a', 'b'] });
    await database.resources.create(run);
    const marked = await database.resources.delete(run);
    expect(marked?.deletionTimestamp).toBeInstanceOf(Date);
    expect((await database.resources.delete(run))?.resourceVersion).toBe(marked?.resourceVersion);
    expect((await database.resources.updateFinalizers(run, ['b']))?.finalizers).toEqual(['b']);
    expect(await database.resources.updateFinalizers(run, [])).toBeUndefined();
    await expect(database.resources.get(run)).rejects.toThrow(NotFoundError);
    await expect(database.resources.delete(run)).rejects.toThrow(NotFoundError);
  });

  it('leave a history of their transitions', async () => {
    const run = aRun();
    const { uid } = await database.resources.create(run);
    await database.resources.updateStatus(run, { phase: 'Running', step: 1 });
    await database.resources.updateStatus(run, { phase: 'Running', step: 2 });
    await database.resources.updateSpec(run, { spec: { seed: 2 } });
    await database.resources.delete(run);
    const history = await database.resources.history(uid);
    expect(history.map(({ change, generation, phase }) => [change, generation, phase])).toEqual([
      ['Created', 1, null], ['PhaseChanged', 1, 'Running'], ['SpecChanged', 2, 'Running'], ['Deleted', 2, 'Running'],
    ]);
    expect(history.at(-1)).toMatchObject({ name: 'faces', spec: { seed: 2 }, status: { phase: 'Running', step: 2 } });
  });

  it('that live elsewhere leave a history of what was observed of them', async () => {
    const seen = { uid: randomUUID(), kind: 'CrawlJob', namespace: 'n', name: 'c', generation: 1, spec: {}, status: null };
    await Promise.all([database.resources.observe(seen), database.resources.observe(seen)]);
    await database.resources.observe({ ...seen, status: { phase: 'Running' } });
    await database.resources.observe({ ...seen, status: { phase: 'Running', step: 3 } });
    expect((await database.resources.history(seen.uid)).map(({ change }) => change)).toEqual(['Created', 'PhaseChanged']);
  });

  it('are written wholly or not at all in a transaction', async () => {
    const run = aRun();
    const failing = database.transaction(async (tx) => {
      await tx.resources.create(run);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await database.resources.find(run)).toBeUndefined();
  });
});

describe('watching resources', () => {
  const collect = (namespace: string) => {
    const ended = new AbortController();
    const changes: ResourceChange[] = [];
    const done = (async () => {
      for await (const change of database.resources.watch({ kind: 'TrainingRun', namespace, signal: ended.signal })) changes.push(change);
    })();
    const seen = () => changes.map(({ type, resource }) => `${type} ${resource.name}`);
    const stop = () => (ended.abort(), done);
    return { seen, stop, changes };
  };

  it('gives what is there, then each change, then the deletion', async () => {
    const namespace = randomUUID();
    await database.resources.create(aRun({ namespace, name: 'old' }));
    await database.resources.create(aRun({ namespace, name: 'gone' }));
    await database.resources.delete({ kind: 'TrainingRun', namespace, name: 'gone' });
    const watch = collect(namespace);
    await expect.poll(watch.seen).toEqual(['Added old']);
    const run = aRun({ namespace, name: 'new' });
    await database.resources.create(run);
    await expect.poll(watch.seen).toEqual(['Added old', 'Added new']);
    await database.resources.updateStatus(run, { phase: 'Running' });
    await expect.poll(watch.seen).toHaveLength(3);
    await database.resources.delete(run);
    await expect.poll(watch.seen).toEqual(['Added old', 'Added new', 'Modified new', 'Deleted new']);
    await watch.stop();
  });

  it('sees every resource of many writers at once', async () => {
    const namespace = randomUUID();
    const watch = collect(namespace);
    const names = Array.from({ length: 40 }, (_, index) => `run-${index}`);
    await Promise.all(names.map((name) => database.resources.create(aRun({ namespace, name }))));
    await expect.poll(() => watch.seen().length, { timeout: 10_000 }).toBe(40);
    expect(new Set(watch.seen()).size).toBe(40);
    await watch.stop();
  });

  it('goes on after its connections were cut', async () => {
    const namespace = randomUUID();
    const watch = collect(namespace);
    await database.resources.create(aRun({ namespace, name: 'before' }));
    await expect.poll(watch.seen).toEqual(['Added before']);
    const admin = new Client({ connectionString: postgres.url });
    await admin.connect();
    await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()');
    await admin.end();
    await pause(100);
    await database.resources.create(aRun({ namespace, name: 'after' }));
    await expect.poll(watch.seen, { timeout: 10_000 }).toEqual(['Added before', 'Added after']);
    await watch.stop();
  });
});
