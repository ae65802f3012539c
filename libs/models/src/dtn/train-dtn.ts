import path from 'node:path';
import type { Dataset } from '@caricature/tensors';
import { tf } from '../backend/tensorflow.js';
import { checkShape, type TrainingOverrides } from '../classifier/train-classifier.js';
import { loadNetwork, saveNetwork } from '../export/layers-model.js';
import { toPixels } from '../images.js';
import { foldBatchNorm, Network } from '../layers/network.js';
import { ModelError } from '../models.error.js';
import { describeDiscriminator, describeGenerator } from '../networks.js';
import { applySettings, type DtnSettings, type DtnWeights, type Preset } from '../presets.js';
import { runTraining, type TrainerOptions, type TrainingOutcome } from '../trainer/trainer.js';
import { DtnTask } from './dtn.task.js';
import { computeFeatures, type Features, gatherFeatures } from './features.js';
import { nearestRows } from './nearest.js';

export interface SampleGrid {
  /** uint8 [count, H, W, C]: photos, their caricatures, and the avatars nearest to the photos in f's space. */
  photos: Uint8Array;
  caricatures: Uint8Array;
  nearest: Uint8Array;
  count: number;
  shape: [number, number, number];
}

export interface TrainDtnOptions extends Omit<TrainerOptions, 'steps' | 'onSampleStep'>, TrainingOverrides {
  source: Dataset;
  target: Dataset;
  /** Folder of f, as `trainClassifier` wrote it. */
  f: string;
  preset: Preset;
  weights?: { [K in keyof DtnWeights]?: DtnWeights[K] | undefined } | undefined;
  labelSmoothing?: number | undefined;
  averageDecay?: number | undefined;
  seed: number;
  /** Receives `g/`, `D/` and a copy of `f/` when training finishes. */
  outputDir: string;
  /** Images in a sample. */
  sampleCount?: number;
  onSample?: (step: number, grid: SampleGrid) => void | Promise<void>;
}

/**
 * Trains the DTN on two unpaired sets of images, with f frozen. Metrics of a step: `g` (weighted sum), its terms `gan`, `const`, `tid`, `tv`,
 * D's loss `d`, and `accuracy/transferred`, `accuracy/reconstructed`, `accuracy/target`, the share that D puts into the right class.
 */
export async function trainDtn({ source, target, preset, seed, outputDir, ...options }: TrainDtnOptions): Promise<TrainingOutcome> {
  const settings = dtnSettings(preset, options);
  const channels = checkShape(target, preset);
  if (checkShape(source, preset) !== channels) throw new ModelError(`${source.folder} and ${target.folder} differ in their number of channels`);
  const whole = await loadNetwork(options.f);
  const f = foldBatchNorm(whole);
  if (f.outputShape.join() !== String(preset.f.featureSize) || f.description.inputShape.join() !== source.shape.join()) {
    throw new ModelError(`${options.f} is an f for another preset: ${f.description.inputShape.join('×')} → ${f.outputShape.join()}`);
  }
  const g = Network.create(describeGenerator(preset, channels), preset.initialization, seed + 2);
  const discriminator = Network.create(describeDiscriminator(preset, channels), preset.initialization, seed + 3);
  const sourceFeatures = computeFeatures(f, source);
  const targetFeatures = computeFeatures(f, target);
  const config = { stage: 'dtn', f: preset.f, g: preset.g, d: preset.d, settings, seed, shape: source.shape, counts: [source.count, target.count] };
  const task = new DtnTask({ target, sourceFeatures, targetFeatures, f, g, discriminator, settings, seed, config });
  try {
    const sample = createSampler(source, target, sourceFeatures, targetFeatures, options.sampleCount ?? 24);
    const outcome = await runTraining(task, { ...options, steps: settings.steps, onSampleStep: (step) => options.onSample?.(step, sample(task.average)) });
    if (outcome.outcome === 'finished') {
      await saveNetwork(task.average, path.join(outputDir, 'g'));
      await saveNetwork(discriminator, path.join(outputDir, 'D'));
      await saveNetwork(whole, path.join(outputDir, 'f'));
    }
    return outcome;
  } finally {
    task.dispose();
    for (const network of [whole, f, g, discriminator]) network.dispose();
  }
}

function dtnSettings(preset: Preset, options: Partial<TrainDtnOptions>): DtnSettings {
  const { weights, ...rest } = options;
  return { ...applySettings(preset.dtn, rest as Partial<DtnSettings>), weights: applySettings(preset.dtn.weights, weights ?? {}) };
}

/** Photos spread over the source set, the same at every sample. */
function createSampler(source: Dataset, target: Dataset, sourceFeatures: Features, targetFeatures: Features, wanted: number): (g: Network) => SampleGrid {
  const count = Math.min(wanted, source.count);
  const indices = Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * source.count) / count));
  const rows = gatherFeatures(sourceFeatures, indices);
  const photos = source.batch(indices).images;
  const nearest = target.batch(nearestRows({ values: rows, size: sourceFeatures.size }, targetFeatures)).images;
  return (g) => ({ photos, nearest, count, shape: source.shape, caricatures: tf.tidy(() => toPixels(g.apply(tf.tensor2d(rows, [count, sourceFeatures.size])))) });
}
