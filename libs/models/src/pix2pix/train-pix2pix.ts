import path from 'node:path';
import type { Dataset } from '@caricature/tensors';
import { tf } from '../backend/tensorflow.js';
import { checkShape } from '../check-data.js';
import { setAside } from '../classifier/classifier.task.js';
import { saveNetwork } from '../export/layers-model.js';
import { describePatchDiscriminator, describeUNet } from '../image-networks.js';
import { toPixels, toTensor } from '../images.js';
import { Network } from '../layers/network.js';
import { applySettings, type Preset } from '../presets.js';
import type { Pix2PixSettings } from '../presets.image.js';
import type { SelectionSettings, TrainingOverrides } from '../settings.js';
import { exportSelected } from '../trainer/export-selected.js';
import { runTraining, type TrainerOptions, type TrainingOutcome } from '../trainer/trainer.js';
import { type SampleGrid, spreadIndices } from '../transfer/sample-grid.js';
import { type PairOf, Pix2PixTask } from './pix2pix.task.js';

export interface TrainPix2PixOptions extends Omit<TrainerOptions, 'steps' | 'onSampleStep'>, TrainingOverrides {
  source: Dataset;
  /** The avatar that belongs to a photo of the source. */
  pairOf: PairOf;
  preset: Preset;
  weights?: { [K in keyof Pix2PixSettings['weights']]?: number | undefined } | undefined;
  averageDecay?: number | undefined;
  selection?: SelectionSettings | undefined;
  seed: number;
  /** Receives `G/` and `D/` when training finishes. */
  outputDir: string;
  /** Images in a sample. */
  sampleCount?: number;
  onSample?: (step: number, grid: SampleGrid) => void | Promise<void>;
}

/** Share of the pairs that is scored and not trained on, where that leaves a batch to train on. */
const VALIDATION_SHARE = 0.02;

/**
 * Trains Pix2Pix on pairs. Metrics of a step: `g` (weighted sum), its terms `gan` and `l1`, D's loss `d`, and `accuracy/target` and `accuracy/transferred`, the
 * share of patches that D puts into the right class.
 */
export async function trainPix2Pix({ source, pairOf, preset, seed, outputDir, ...options }: TrainPix2PixOptions): Promise<TrainingOutcome> {
  const { weights, ...rest } = options;
  const settings: Pix2PixSettings = { ...applySettings(preset.pix2pix, rest as Partial<Pix2PixSettings>), weights: applySettings(preset.pix2pix.weights, weights ?? {}) };
  const channels = checkShape(source, preset);
  const generator = Network.create(describeUNet(preset, channels), preset.initialization, seed + 2);
  const discriminator = Network.create(describePatchDiscriminator('D', preset, channels * 2), preset.initialization, seed + 3);
  const config = { stage: 'pix2pix', image: preset.image, g: preset.g, settings, seed, shape: source.shape, count: source.count };
  const sets = setAside(source.count, VALIDATION_SHARE, settings.batchSize, seed);
  const task = new Pix2PixTask({ source, pairOf, ...sets, generator, discriminator, settings, seed, config });
  try {
    const sample = createSampler(source, pairOf, options.sampleCount ?? 24);
    const outcome = await runTraining(task, { ...options, steps: settings.steps, onSampleStep: (step) => options.onSample?.(step, sample(task.average.networks.G)) });
    if (outcome.outcome === 'finished') {
      await saveNetwork(discriminator, path.join(outputDir, 'D'));
      await exportSelected(task.average.networks, task.best, settings.selection.keep, outputDir);
    }
    return { ...outcome, best: task.best.found };
  } finally {
    task.dispose();
    generator.dispose();
    discriminator.dispose();
  }
}

function createSampler(source: Dataset, pairOf: PairOf, wanted: number): (generator: Network) => SampleGrid {
  const indices = spreadIndices(source.count, wanted);
  const photos = source.batch(indices).images;
  const beside = Buffer.concat(indices.map(pairOf));
  return (generator) => ({ photos, beside, count: indices.length, shape: source.shape, caricatures: tf.tidy(() => toPixels(generator.apply(toTensor(photos, source.shape)))) });
}
