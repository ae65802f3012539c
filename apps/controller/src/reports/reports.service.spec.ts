import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { StageAssignment } from '@caricature/contracts';
import { applyMigrations, createDatabase, type Database } from '@caricature/database';
import { startScratchPostgres } from '@caricature/local';
import { ReportsService } from './reports.service.js';

let database: Database;
let close: () => Promise<void>;
beforeAll(async () => {
  const postgres = await startScratchPostgres();
  await applyMigrations({ url: postgres.url });
  database = createDatabase(postgres.url);
  close = async () => {
    await database.close();
    await postgres.stop();
  };
});
afterAll(() => close());

/** A run's training, told of by one attempt after the other. */
function aTraining() {
  const uid = randomUUID();
  const sequences = new Map<number, number>();
  const tell = async (attempt: number, steps: number[], rollback?: { times: number; toStep: number }) => {
    const job = `faces-train-${attempt}`;
    const assignment: StageAssignment = { job, stage: 'train', attempt, key: 'k', owner: { kind: 'TrainingRun', namespace: 'default', name: 'faces', uid }, config: {}, pace: rollback ? { rollback } : {}, inputs: {} };
    const service = new ReportsService(database, { authenticate: () => Promise.resolve({ assignment, id: job }) });
    const sequence = (sequences.get(attempt) ?? 0) + 1;
    sequences.set(attempt, sequence);
    const metrics = steps.map((step) => ({ type: 'metrics' as const, step, at: new Date().toISOString(), values: { g: attempt } }));
    await service.accept({ job, stage: 'train', sequence, items: [{ type: 'progress', step: 0, totalSteps: 9 }, ...metrics] }, 'token');
  };
  /** `step: attempt that told of it` */
  const points = async () => ((await database.metrics.series({ runUid: uid, stage: 'train' }))[0]?.points ?? []).map(({ step, last }) => `${step}: ${last}`);
  return { uid, tell, points };
}

it('keeps the losses of the steps that a rolled back training does again, not those that it was rolled back for', async () => {
  const { tell, points, uid } = aTraining();
  await tell(1, [1, 2, 3, 4, 5, 6]);
  await database.metrics.insertMany(uid, 'pretrain', [{ name: 'loss', step: 5, value: 1, at: new Date() }]);
  const rollback = { times: 1, toStep: 4 };
  // The checkpoint that there was is one of step 2.
  await tell(2, [], rollback);
  expect(await points()).toHaveLength(6);
  await tell(2, [3, 4], rollback);
  expect(await points()).toEqual(['1: 1', '2: 1', '3: 2', '4: 2']);
  // Once for each rollback: one who only goes on, from an earlier checkpoint perhaps, does the same steps again.
  await tell(3, [4, 5, 6], rollback);
  expect(await points()).toEqual(['1: 1', '2: 1', '3: 2', '4: 2', '5: 3', '6: 3']);
  await tell(4, [2], { times: 2, toStep: 1 });
  expect(await points()).toEqual(['1: 1', '2: 4']);
  expect(await database.metrics.latest(uid, 'pretrain')).toHaveLength(1);
});
