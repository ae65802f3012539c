import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type EmbeddedPostgres, startScratchPostgres } from '../../local/src/postgres/index.js';
import { createDatabase } from './database.js';
import { NotFoundError } from './errors.js';
import { applyMigrations } from './migrate.js';
import type { Database } from './ports.js';
import type { MetricPoint, NewArtifact, NewModelVersion } from './rows.js';

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

const at = new Date('2026-01-02T03:04:05.678Z');

describe('stage attempts', () => {
  it('are told once in full and then by what changed', async () => {
    const attempt = { runUid: randomUUID(), stage: 'train', attempt: 1 };
    await database.stages.record({ ...attempt, state: 'Running', key: 'k', startedAt: at });
    const done = await database.stages.record({ ...attempt, state: 'Failed', exitCode: 64, message: 'no faces' });
    expect(done).toMatchObject({ ...attempt, key: 'k', state: 'Failed', exitCode: 64, startedAt: at, cached: false, completedAt: null });
    expect(await database.stages.list(attempt.runUid)).toEqual([done]);
  });

  it('give the latest of a stage', async () => {
    const runUid = randomUUID();
    for (const attempt of [1, 2]) await database.stages.record({ runUid, stage: 'train', attempt, state: 'Running', key: 'k' });
    expect((await database.stages.findLatest(runUid, 'train'))?.attempt).toBe(2);
    expect(await database.stages.findLatest(runUid, 'other')).toBeUndefined();
  });

  it('refuse a change to one that was never begun', async () => {
    await expect(database.stages.record({ runUid: randomUUID(), stage: 'train', attempt: 1, exitCode: 0 })).rejects.toThrow(NotFoundError);
  });
});

const anArtifact = (change: Partial<NewArtifact> = {}): NewArtifact => ({
  digest: randomUUID(), stage: 'crawl', key: randomUUID(), uri: 'file:///a', bytes: 2 ** 40, ...change,
});

describe('artifacts', () => {
  it('are found by key and digest', async () => {
    const artifact = anArtifact({ metadata: { count: 3 } });
    const row = await database.artifacts.record(artifact);
    expect(row).toMatchObject(artifact);
    expect(await database.artifacts.findByKey(artifact.key)).toEqual(row);
    expect(await database.artifacts.findByDigest(artifact.digest)).toEqual(row);
  });

  it('belong to whoever recorded the key first', async () => {
    const key = randomUUID();
    const rows = await Promise.all(['one', 'two', 'three'].map((digest) => database.artifacts.record(anArtifact({ key, digest }))));
    expect(new Set(rows.map(({ digest }) => digest)).size).toBe(1);
  });

  it('know everything they came from', async () => {
    const [raw, faces, avatars, model] = ['raw', 'faces', 'avatars', 'model'].map((name) => `${name}-${randomUUID()}`) as [string, string, string, string];
    await database.artifacts.record(anArtifact({ digest: raw }));
    await database.artifacts.record(anArtifact({ digest: faces }));
    await database.artifacts.record(anArtifact({ digest: avatars, from: [raw] }));
    await database.artifacts.record(anArtifact({ digest: model, from: [avatars, faces] }));
    const lineage = await database.artifacts.lineage(model);
    expect(lineage.artifacts.map(({ digest }) => digest).sort()).toEqual([raw, faces, avatars, model].sort());
    expect(lineage.edges).toHaveLength(3);
    expect(lineage.edges).toContainEqual({ from: raw, to: avatars });
    await expect(database.artifacts.record(anArtifact({ from: ['unknown'] }))).rejects.toThrow(NotFoundError);
  });

  it('that the store lost leave their key to the next and stay for lineage', async () => {
    const lost = anArtifact();
    await database.artifacts.record(lost);
    await database.artifacts.forget(lost.key);
    expect(await database.artifacts.findByKey(lost.key)).toBeUndefined();
    expect((await database.artifacts.findByDigest(lost.digest))?.key).toBeNull();
    expect((await database.artifacts.record(anArtifact({ key: lost.key, digest: 'new' }))).digest).toBe('new');
  });

  it('are listed for the run whose stages made or took them', async () => {
    const runUid = randomUUID();
    const artifact = anArtifact();
    await database.artifacts.record(artifact);
    await database.stages.record({ runUid, stage: 'crawl', attempt: 1, state: 'Succeeded', key: artifact.key, cached: true, artifactDigest: artifact.digest });
    expect((await database.artifacts.listForRun(runUid)).map(({ digest }) => digest)).toEqual([artifact.digest]);
  });
});

const points = (count: number, names = ['const']): MetricPoint[] =>
  Array.from({ length: count }, (_, step) => names.map((name) => ({ name, step, value: step, at }))).flat();

describe('metric points', () => {
  it('count once, and only when they are finite', async () => {
    const runUid = randomUUID();
    expect(await database.metrics.insertMany(runUid, 'train', points(10))).toBe(10);
    expect(await database.metrics.insertMany(runUid, 'train', [...points(12), { name: 'const', step: 99, value: NaN, at }])).toBe(2);
    expect(await database.metrics.insertMany(runUid, 'train', [])).toBe(0);
  });

  it('come back unchanged when they are few', async () => {
    const runUid = randomUUID();
    await database.metrics.insertMany(runUid, 'train', [{ name: 'tid', step: 5, value: 0.1, at }]);
    const point = { step: 5, min: 0.1, max: 0.1, avg: 0.1, last: 0.1, count: 1, at };
    expect(await database.metrics.series({ runUid })).toEqual([{ stage: 'train', name: 'tid', points: [point] }]);
  });

  it('are merged into buckets that keep extremes, means and the last value', async () => {
    const runUid = randomUUID();
    await database.metrics.insertMany(runUid, 'train', points(100));
    const [series] = await database.metrics.series({ runUid, maxPoints: 10 });
    expect(series?.points).toHaveLength(10);
    expect(series?.points[1]).toEqual({ step: 19, min: 10, max: 19, avg: 14.5, last: 19, count: 10, at });
  });

  it('are chosen by stage, name and steps', async () => {
    const runUid = randomUUID();
    await database.metrics.insertMany(runUid, 'pretrain', points(10, ['loss']));
    await database.metrics.insertMany(runUid, 'train', points(10, ['gan', 'tid', 'tv']));
    const chosen = await database.metrics.series({ runUid, stage: 'train', names: ['gan', 'tv'], fromStep: 3, toStep: 5 });
    expect(chosen.map(({ name, points: each }) => [name, each.map(({ step }) => step)])).toEqual([['gan', [3, 4, 5]], ['tv', [3, 4, 5]]]);
    expect(await database.metrics.latest(runUid)).toHaveLength(4);
    expect(await database.metrics.latest(runUid, 'pretrain')).toEqual([{ stage: 'pretrain', name: 'loss', step: 9, value: 9, at }]);
  });

  it('of a whole run (50,000 steps of 10 series) give 500 points a series', async () => {
    const runUid = randomUUID();
    const names = Array.from({ length: 10 }, (_, index) => `loss-${index}`);
    const all = points(50_000, names);
    for (let from = 0; from < all.length; from += 50_000) await database.metrics.insertMany(runUid, 'train', all.slice(from, from + 50_000));
    const series = await database.metrics.series({ runUid });
    expect(series.map(({ points: each }) => each.length)).toEqual(names.map(() => 500));
    expect(series[9]?.points.at(-1)).toMatchObject({ step: 49_999, min: 49_900, last: 49_999, count: 100 });
  }, 120_000);
});

describe('samples', () => {
  it('are listed by step, one a step', async () => {
    const runUid = randomUUID();
    await database.samples.record({ runUid, step: 200, uri: 'b', digest: 'db' });
    await database.samples.record({ runUid, step: 100, uri: 'a', digest: 'da' });
    await database.samples.record({ runUid, step: 200, uri: 'c', digest: 'dc' });
    expect((await database.samples.list(runUid)).map(({ uri }) => uri)).toEqual(['a', 'c']);
  });
});

const aVersion = (change: Partial<NewModelVersion> = {}): NewModelVersion => ({
  model: 'm', runUid: randomUUID(), artifactDigest: 'd', uri: 'file:///m', scores: { traitAgreement: 0.7 }, stage: 'train', ...change,
});

describe('models', () => {
  it('give concurrent publishers versions without gaps or doubles', async () => {
    const model = randomUUID();
    const rows = await Promise.all(Array.from({ length: 8 }, () => database.models.publish(aVersion({ model, alias: 'staging' }))));
    expect(rows.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const history = await database.models.aliasHistory(model);
    expect(history.map(({ fromVersion, toVersion }) => [fromVersion, toVersion])).toEqual(history.map((_, index) => [index || null, index + 1]));
  });

  it('give a repeated publication the version it has', async () => {
    const version = aVersion({ model: randomUUID() });
    const rows = await Promise.all([database.models.publish(version), database.models.publish(version)]);
    expect(rows[0]).toEqual(rows[1]);
    expect(rows[0]).toMatchObject({ ...version, version: 1 });
    expect(await database.models.versions(version.model)).toHaveLength(1);
    expect(await database.models.findPublished(version)).toEqual(rows[0]);
    expect(await database.models.findPublished({ ...version, runUid: randomUUID() })).toBeUndefined();
  });

  it('are found by alias, by version, and newest', async () => {
    const model = randomUUID();
    await database.models.publish(aVersion({ model, alias: 'production' }));
    await database.models.publish(aVersion({ model, alias: 'staging' }));
    const versionOf = async (which?: string | number) => (await database.models.find(model, which))?.version;
    expect(await versionOf('production')).toBe(1);
    expect(await versionOf(1)).toBe(1);
    expect(await versionOf()).toBe(2);
    expect(await versionOf('other')).toBeUndefined();
    expect(await database.models.list()).toContainEqual({ name: model, createdAt: expect.any(Date), latestVersion: 2, aliases: { production: 1, staging: 2 } });
  });

  it('keep the history of an alias', async () => {
    const model = randomUUID();
    for (let count = 0; count < 2; count += 1) await database.models.publish(aVersion({ model }));
    for (const version of [1, 2, 2, 1]) await database.models.setAlias(model, 'production', version);
    expect((await database.models.aliasHistory(model)).map(({ toVersion }) => toVersion)).toEqual([1, 2, 1]);
    await expect(database.models.setAlias(model, 'production', 3)).rejects.toThrow(NotFoundError);
  });
});

describe('events', () => {
  it('that are equal count up, those of long messages too', async () => {
    const event = { resourceUid: randomUUID(), type: 'Warning' as const, reason: 'StageFailed', message: 'x'.repeat(10_000) };
    const later = new Date(at.getTime() + 1000);
    // The second and the third are written together.
    await Promise.all([at, later, at].map((time) => database.events.record({ ...event, at: time })));
    await database.events.record({ ...event, reason: 'Other', at });
    const [latest, ...others] = await database.events.list(event.resourceUid);
    expect(latest).toEqual({ ...event, count: 3, firstAt: at, lastAt: later });
    expect(others).toHaveLength(1);
  });
});

describe('reports', () => {
  it('are applied once, also when they arrive twice at the same time', async () => {
    const [job, runUid] = [randomUUID(), randomUUID()];
    const apply = () => database.reports.apply(job, 1, async (tx) => void (await tx.metrics.insertMany(runUid, 'train', points(1))));
    expect((await Promise.all([apply(), apply(), apply()])).sort()).toEqual([false, false, true]);
    expect(await database.reports.lastSequence(job)).toBe(1);
    expect(await database.reports.apply(job, 2, async () => {})).toBe(true);
    expect(await database.reports.apply(job, 1, async () => {})).toBe(false);
  });

  it('that fail keep nothing and can be sent again', async () => {
    const [job, runUid] = [randomUUID(), randomUUID()];
    const failing = database.reports.apply(job, 1, async (tx) => {
      await tx.samples.record({ runUid, step: 1, uri: 'a', digest: 'da' });
      throw new Error('disk full');
    });
    await expect(failing).rejects.toThrow('disk full');
    expect(await database.samples.list(runUid)).toEqual([]);
    expect(await database.reports.lastSequence(job)).toBe(0);
    expect(await database.reports.apply(job, 1, async () => {})).toBe(true);
  });
});

describe('what is kept of a run', () => {
  it('is recalled at once as its parts are listed', async () => {
    const [runUid, other, key] = [randomUUID(), randomUUID(), randomUUID()];
    for (const uid of [runUid, other]) {
      await database.stages.record({ runUid: uid, stage: 'train', attempt: 1, state: 'Failed', key, startedAt: new Date(1_000), completedAt: new Date(2_001), exitCode: 1, message: 'out of memory' });
      await database.stages.record({ runUid: uid, stage: 'train', attempt: 2, state: 'Running', key });
      for (const step of [300, 100, 200]) await database.samples.record({ runUid: uid, step, uri: `s${step}`, digest: 'd' });
      await database.transaction((tx) => tx.stageReports.save({ runUid: uid, stage: 'train', attempt: 2, report: { progress: { step: 7 } } }, {}));
    }
    await database.artifacts.record({ digest: 'of faces', stage: 'prepare-faces', key, uri: 'file:///faces', bytes: 2 ** 40, metadata: { people: 3 } });
    expect(await database.recall(runUid, [key, 'unknown'], 2)).toEqual({
      attempts: await database.stages.list(runUid),
      reports: await database.stageReports.list(runUid),
      samples: (await database.samples.list(runUid)).slice(-2),
      artifacts: [await database.artifacts.findByKey(key)],
    });
    expect(await database.recall(randomUUID(), [], 2)).toEqual({ attempts: [], reports: [], samples: [], artifacts: [] });
  });
});

describe('words that were made of raw bytes, or cut short', () => {
  const cut = '\u{1f600}'.slice(0, 1);
  // The last of them is no NUL, but text that only looks like one.
  const raw = `PNG\0\0 ${cut} \\u0000`;
  const kept = 'PNG \ufffd \\u0000';

  it('are kept without what Postgres takes in no text', async () => {
    const uid = randomUUID();
    const ref = { kind: 'CrawlJob', namespace: 'default', name: uid };
    const status = { phase: 'Failed', message: raw };
    expect((await database.stages.record({ runUid: uid, stage: 'crawl', attempt: 1, state: 'Failed', key: uid, message: raw })).message).toBe(kept);
    await database.stageReports.save({ runUid: uid, stage: 'crawl', attempt: 1, report: { [raw]: raw } }, { message: raw });
    expect((await database.stageReports.list(uid))[0]?.report).toEqual({ [kept]: kept });
    await database.events.record({ resourceUid: uid, type: 'Warning', reason: 'StageFailed', message: raw });
    expect(await database.events.list(uid)).toMatchObject([{ message: kept }]);
    await database.resources.create({ ...ref, apiVersion: 'v1', spec: {} });
    expect((await database.resources.updateStatus(ref, status)).status).toEqual({ ...status, message: kept });
    await database.resources.observe({ ...ref, uid, generation: 1, spec: {}, status });
    expect((await database.resources.history(uid)).at(-1)?.status).toEqual({ ...status, message: kept });
    expect((await database.artifacts.record(anArtifact({ metadata: { title: raw } }))).metadata).toEqual({ title: kept });
    await database.metrics.insertMany(uid, 'crawl', [{ name: raw, step: 1, value: 1, at }]);
    expect((await database.metrics.latest(uid))[0]?.name).toBe(kept);
  });
});

describe('the last word of a stage', () => {
  const heard = async (work: () => Promise<unknown>, count: number) => {
    const stop = new AbortController();
    const notices: unknown[] = [];
    const watching = database.reports.watch((notice) => notices.push(notice), stop.signal);
    // A watch tells of what comes after it listens: it is rung until it answers.
    await expect.poll(async () => (await database.stageReports.save({ runUid: randomUUID(), stage: 's', attempt: 1, report: {} }, { bell: true }), notices.length)).toBeGreaterThan(0);
    notices.length = 0;
    await work();
    await expect.poll(() => notices.filter((n) => !(n as { bell?: boolean }).bell).length).toBe(count);
    stop.abort();
    await watching;
    return notices.filter((n) => !(n as { bell?: boolean }).bell);
  };

  it('is seen by every replica, once it is committed', async () => {
    const runUid = randomUUID();
    const notices = await heard(async () => {
      await database.transaction(async (tx) => {
        expect(await tx.stageReports.findForUpdate(runUid, 'train')).toBeUndefined();
        await tx.stageReports.save({ runUid, stage: 'train', attempt: 2, report: { step: 7 } }, { uid: runUid });
      });
      await database.transaction(async (tx) => {
        await tx.stageReports.save({ runUid, stage: 'train', attempt: 9, report: {} }, { uid: 'never' });
        throw new Error('undone');
      }).catch(() => undefined);
    }, 1);
    expect(notices).toEqual([{ uid: runUid }]);
    expect(await database.stageReports.list(runUid)).toMatchObject([{ stage: 'train', attempt: 2, report: { step: 7 } }]);
  });

  it('is told without what makes its notice too long', async () => {
    const runUid = randomUUID();
    const notices = await heard(() => database.stageReports.save({ runUid, stage: 'train', attempt: 1, report: {} }, { uid: runUid, items: 'x'.repeat(9000) }), 1);
    expect(notices).toEqual([{ uid: runUid }]);
  });
});
