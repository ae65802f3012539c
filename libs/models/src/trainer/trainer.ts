import path from 'node:path';
import type { Tensor } from '../backend/tensorflow.js';
import { type Checkpoint, findCheckpoint, saveCheckpoint } from '../checkpoint/checkpoint.js';
import { restoreParts, type RunParts, snapshotParts } from '../checkpoint/stateful.js';
import { DivergedError } from '../models.error.js';

/** Losses and accuracies of one step, by name. */
export type StepMetrics = Record<string, number>;

/** Reads scalars out of the backend, and frees them. */
export function readScalars(scalars: Record<string, Tensor>): StepMetrics {
  return Object.fromEntries(
    Object.entries(scalars).map(([name, scalar]) => {
      const value = scalar.dataSync()[0]!;
      scalar.dispose();
      return [name, value];
    }),
  );
}

/** What a model must do to be trained. One object holds all state; the trainer holds none but the step. */
export interface TrainingTask {
  /** Resolved configuration, plain JSON; kept in checkpoints and compared on resume. */
  readonly config: unknown;
  /** A loss beyond it has left any useful range; 10⁶ unless told. */
  readonly lossLimit?: number;
  /** `rateScale` is what the learning rate is multiplied by, beside the schedule; 1 unless told. */
  trainStep(step: number, rateScale?: number): StepMetrics;
  /** All that a checkpoint must hold for the training to go on as if it had never stopped. */
  readonly parts: RunParts;
}

export interface TrainerOptions {
  steps: number;
  /** Folder of `last.checkpoint`; none are written without it. */
  checkpointDir?: string;
  checkpointEverySteps?: number;
  /** Go on from the checkpoint in `checkpointDir`, if there is one. */
  resume?: boolean;
  /** What the learning rate is multiplied by; 1 unless told. A run that was rolled back goes on more slowly. */
  rateScale?: number | undefined;
  /** Aborted means: checkpoint and return. */
  signal?: AbortSignal;
  onStep?: (progress: { step: number; totalSteps: number; metrics: StepMetrics; seconds: number }) => void | Promise<void>;
  onCheckpoint?: (checkpoint: { step: number; file: string }) => void | Promise<void>;
  sampleEverySteps?: number;
  /** Called every `sampleEverySteps` steps and at the end. */
  onSampleStep?: (step: number) => void | Promise<void>;
}

export interface TrainingOutcome {
  outcome: 'finished' | 'interrupted';
  /** Steps done. */
  step: number;
  metrics: StepMetrics;
  /** Where the best weights by the run's own score are from, if it was asked for. */
  best?: { step: number; score: number } | undefined;
}

const LOSS_LIMIT = 1e6;
export const CHECKPOINT_FILE = 'last.checkpoint';

/**
 * Trains up to `steps`. A resumed run ends with the same bytes as an uninterrupted one. Throws DivergedError, CheckpointError.
 */
export async function runTraining(task: TrainingTask, options: TrainerOptions): Promise<TrainingOutcome> {
  const file = options.checkpointDir && path.join(options.checkpointDir, CHECKPOINT_FILE);
  let step = options.resume && file ? await resume(task, file) : 0;
  let metrics: StepMetrics = {};
  let savedAt = step;
  const kept = () => (savedAt > 0 ? savedAt : undefined);
  const save = async () => {
    if (!file || savedAt === step) return;
    const content = snapshotParts(task.parts);
    checkWeights(content.tensors, step, kept());
    await saveCheckpoint(file, { step, config: task.config, ...content });
    savedAt = step;
    await options.onCheckpoint?.({ step, file });
  };
  while (step < options.steps) {
    if (options.signal?.aborted) {
      await save();
      return { outcome: 'interrupted', step, metrics };
    }
    const started = performance.now();
    metrics = task.trainStep(step, options.rateScale);
    step += 1;
    checkMetrics(metrics, step, task.lossLimit ?? LOSS_LIMIT, kept());
    await options.onStep?.({ step, totalSteps: options.steps, metrics, seconds: (performance.now() - started) / 1000 });
    // Whatever is told of a step comes before its checkpoint: killed in between, whoever goes on from there would not tell it.
    if (step === options.steps || step % (options.sampleEverySteps ?? Infinity) === 0) await options.onSampleStep?.(step);
    if (step % (options.checkpointEverySteps ?? 100) === 0) await save();
    // Lets signals, timers and reports in between two steps, which compute without a pause.
    await new Promise(setImmediate);
  }
  await save();
  return { outcome: 'finished', step, metrics };
}

async function resume(task: TrainingTask, file: string): Promise<number> {
  const checkpoint = await findCheckpoint(file, task.config);
  if (!checkpoint) return 0;
  restoreParts(task.parts, checkpoint);
  return checkpoint.step;
}

function checkMetrics(metrics: StepMetrics, step: number, limit: number, keptStep: number | undefined): void {
  for (const [name, value] of Object.entries(metrics)) {
    if (!Number.isFinite(value) || Math.abs(value) > limit) throw new DivergedError(step, name, value, keptStep);
  }
}

/** A step's losses are those before its update, so the weights are looked at too before they replace the last good ones. */
function checkWeights(tensors: Checkpoint['tensors'], step: number, keptStep: number | undefined): void {
  for (const [name, { values }] of tensors) {
    const wrong = values.find((value) => !Number.isFinite(value));
    if (wrong !== undefined) throw new DivergedError(step, `weight ${name}`, wrong, keptStep);
  }
}
