import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createArtifactStore, createWorkArea, type WorkArea } from '@caricature/artifacts';
import type { ReportItem } from '@caricature/contracts';
import { CHECKPOINT_FILE, checkpointStep } from '@caricature/models';
import { saveCheckpoint } from '../../../libs/models/src/checkpoint/checkpoint.js';
import { keepCheckpoints, type CheckpointChoice } from './checkpoints.js';

describe('checkpoints of a training', () => {
  let root: string;
  let work: WorkArea;
  let attempts = 0;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'caricature-checkpoints-'));
    work = createWorkArea(createArtifactStore(pathToFileURL(join(root, 'store')).href), { stage: 'train', key: 'k' });
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  /** An attempt on a machine of its own: gives the step that it goes on from, and what makes the next checkpoints. */
  async function anAttempt(choice?: CheckpointChoice, unsent: ReportItem[] = []) {
    const scratchDir = join(root, `scratch-${++attempts}`);
    await mkdir(scratchDir, { recursive: true });
    const reported: ReportItem[] = [];
    const { checkpointDir, onCheckpoint } = await keepCheckpoints({ scratchDir, work, log: () => undefined, report: (item) => void reported.push(item), unsentReports: () => Promise.resolve(unsent) }, choice);
    const file = join(checkpointDir, CHECKPOINT_FILE);
    const begun = await readFile(file).then(checkpointStep, () => 0);
    const reach = async (...steps: number[]) => {
      for (const step of steps) {
        await saveCheckpoint(file, { step, config: {}, state: {}, tensors: new Map() });
        await onCheckpoint({ step, file });
      }
    };
    return { begun, reach, reported };
  }

  it('are gone on from on any machine, with the reports that their maker could not send', async () => {
    const metrics: ReportItem = { type: 'metrics', step: 100, at: '2026-01-01T00:00:00Z', values: { g: 1 } };
    await (await anAttempt({}, [metrics, { type: 'progress', step: 100, totalSteps: 200 }])).reach(100);
    const next = await anAttempt();
    expect([next.begun, next.reported]).toEqual([100, [metrics]]);
  });

  it('are rolled back to the newest that was still good, once for each rollback', async () => {
    await (await anAttempt({ mayRollBack: true })).reach(100, 200, 300, 400, 500, 600);
    const rollback = { times: 1, toStep: 450 };
    const second = await anAttempt({ mayRollBack: true, rollback });
    expect(second.begun).toBe(400);
    await second.reach(500);
    expect((await anAttempt({ mayRollBack: true, rollback })).begun).toBe(500);
    expect((await anAttempt({ mayRollBack: true, rollback: { times: 2, toStep: 100 } })).begun).toBe(0);
  });

  it('that were taken before it went wrong are just gone on from', async () => {
    await (await anAttempt({ mayRollBack: true })).reach(100, 200);
    expect((await anAttempt({ mayRollBack: true, rollback: { times: 1, toStep: 250 } })).begun).toBe(200);
  });

  it('begin anew when none was good, and forget what was told of steps that are done again', async () => {
    await (await anAttempt({ mayRollBack: true }, [{ type: 'metrics', step: 300, at: '2026-01-01T00:00:00Z', values: { g: 9 } }])).reach(300);
    const next = await anAttempt({ mayRollBack: true, rollback: { times: 1, toStep: 0 } });
    expect([next.begun, next.reported]).toEqual([0, []]);
  });

  it('are kept once where nothing is rolled back', async () => {
    await (await anAttempt()).reach(100, 200, 300);
    expect((await work.list()).map(({ name }) => name).sort()).toEqual([CHECKPOINT_FILE, 'unsent-reports.json']);
  });
});
