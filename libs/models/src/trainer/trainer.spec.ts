import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runTraining, type TrainerOptions, type TrainingTask } from './trainer.js';

/** Learns to count. */
class Counting implements TrainingTask {
  readonly config = 'counting';
  private count = 0;
  readonly parts = { count: { snapshot: () => ({ tensors: new Map(), state: this.count }), restore: (_: unknown, state: unknown) => void (this.count = state as number) } };

  trainStep() {
    return { loss: 1 / ++this.count };
  }
}

describe('a training that is killed', () => {
  let checkpointDir: string;
  let told: string[];
  beforeEach(async () => {
    checkpointDir = await mkdtemp(join(tmpdir(), 'caricature-trainer-'));
    told = [];
  });
  afterEach(() => rm(checkpointDir, { recursive: true, force: true }));

  /** Trains; dies just before it would tell `dies`. */
  function train(dies?: string): Promise<unknown> {
    const tell = (what: string) => {
      if (what === dies) throw new Error(`killed before ${what}`);
      told.push(what);
    };
    const options: TrainerOptions = {
      steps: 4, checkpointDir, checkpointEverySteps: 2, sampleEverySteps: 2, resume: true,
      onStep: ({ step }) => tell(`step ${step}`),
      onSampleStep: (step) => tell(`sample ${step}`),
      onCheckpoint: ({ step }) => tell(`checkpoint ${step}`),
    };
    return runTraining(new Counting(), options);
  }

  const WHOLE = ['step 1', 'step 2', 'sample 2', 'step 3', 'step 4', 'sample 4'];

  it.each(['step 2', 'sample 2', 'checkpoint 2', 'step 3', 'step 4', 'sample 4', 'checkpoint 4'])('before %s has told everything in the end', async (dies) => {
    await expect(train(dies)).rejects.toThrow(`killed before ${dies}`);
    await train();
    expect([...new Set(told.filter((what) => !what.startsWith('checkpoint')))]).toEqual(WHOLE);
  });
});
