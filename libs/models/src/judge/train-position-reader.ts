import path from 'node:path';
import { saveNetwork } from '../export/layers-model.js';
import { toTensor } from '../images.js';
import { foldBatchNorm, Network } from '../layers/network.js';
import type { TrainingSettings } from '../settings.js';
import { runTraining, type TrainerOptions, type TrainingOutcome } from '../trainer/trainer.js';
import { describePositionReader, readBeliefs } from './position-reader.js';
import { constantErrors, meanError, scorePositions } from './position-scores.js';
import { PositionTask, type PlacedImages } from './position.task.js';

export interface TrainPositionReaderOptions extends Omit<TrainerOptions, 'steps' | 'onSampleStep' | 'sampleEverySteps'> {
  /** Target images whose features are moved about at random, so that the reader cannot answer with a constant. */
  training: PlacedImages;
  /** The same, not trained on: the reader's own error is measured on them. */
  heldOut: PlacedImages;
  /** Of the features, in the order of the places; those of one name are averaged (both eyes). */
  featureNames: string[];
  /** At most; fewer give a worse reader. */
  steps?: number;
  seed: number;
  /** Receives `position-reader/`. */
  outputDir: string;
}

const SETTINGS: TrainingSettings = { steps: 240, batchSize: 16, learningRate: 4e-3, schedule: 'oneCycle', optimizer: 'Adam', beta1: 0.9 };

/**
 * Trains the position reader, which finds features in a target image: it scores transfers and never takes part in training them. Of its metrics, `error` is
 * its mean error on the held-out images and `chance` that of a reader that always answers with the mean place, both in shares of a side.
 */
export async function trainPositionReader({ training, heldOut, featureNames, seed, outputDir, ...options }: TrainPositionReaderOptions): Promise<TrainingOutcome> {
  const settings = { ...SETTINGS, steps: Math.min(options.steps ?? Infinity, SETTINGS.steps), batchSize: Math.min(SETTINGS.batchSize, training.count) };
  const reader = Network.create(describePositionReader(3, featureNames.length), 'xavier', seed);
  const task = new PositionTask(training, reader, settings, seed, { stage: 'position-reader', settings, seed, count: training.count, size: training.size, featureNames });
  try {
    const outcome = await runTraining(task, { ...options, steps: settings.steps });
    if (outcome.outcome === 'interrupted') return outcome;
    await saveNetwork(reader, path.join(outputDir, 'position-reader'));
    const [error, chance] = [meanError(ownErrors(reader, heldOut, featureNames)), meanError(constantErrors(heldOut.places, featureNames))];
    return { ...outcome, metrics: { ...outcome.metrics, error, chance } };
  } finally {
    task.dispose();
    reader.dispose();
  }
}

function ownErrors(reader: Network, { pixels, size, places }: PlacedImages, names: string[]) {
  const frozen = foldBatchNorm(reader);
  const images = toTensor(pixels, [size, size, 3]);
  try {
    return scorePositions(readBeliefs(frozen, images.dataSync() as Float32Array, [size, size, 3]), places, names);
  } finally {
    images.dispose();
    frozen.dispose();
  }
}
