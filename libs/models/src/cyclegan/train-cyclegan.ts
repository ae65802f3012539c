import path from 'node:path';
import type { Dataset } from '@caricature/tensors';
import { tf } from '../backend/tensorflow.js';
import { checkSameChannels } from '../check-data.js';
import { saveNetwork } from '../export/layers-model.js';
import { describePatchDiscriminator, describeResidualGenerator } from '../image-networks.js';
import { toPixels, toTensor } from '../images.js';
import { Network } from '../layers/network.js';
import { applySettings, type Preset } from '../presets.js';
import type { CycleGanSettings } from '../presets.image.js';
import type { SelectionSettings, TrainingOverrides } from '../settings.js';
import { exportSelected } from '../trainer/export-selected.js';
import { runTraining, type TrainerOptions, type TrainingOutcome } from '../trainer/trainer.js';
import { type SampleGrid, spreadIndices } from '../transfer/sample-grid.js';
import { type CycleGanNetworks, CycleGanTask } from './cyclegan.task.js';

export interface TrainCycleGanOptions extends Omit<TrainerOptions, 'steps' | 'onSampleStep'>, TrainingOverrides {
  source: Dataset;
  target: Dataset;
  preset: Preset;
  weights?: { [K in keyof CycleGanSettings['weights']]?: number | undefined } | undefined;
  averageDecay?: number | undefined;
  poolSize?: number | undefined;
  selection?: SelectionSettings | undefined;
  seed: number;
  /** Receives `G/` (photo → avatar), `F/` (back), `D-avatar/` and `D-photo/` when training finishes. */
  outputDir: string;
  /** Images in a sample. */
  sampleCount?: number;
  onSample?: (step: number, grid: SampleGrid) => void | Promise<void>;
}

/**
 * Trains CycleGAN on two unpaired sets of images. Metrics of a step: `g` (weighted sum), its terms `gan`, `cycle` and `identity`, the discriminators' loss `d`, and
 * `accuracy/avatars` and `accuracy/photos`, the share of patches that each puts into the right class.
 */
export async function trainCycleGan({ source, target, preset, seed, outputDir, ...options }: TrainCycleGanOptions): Promise<TrainingOutcome> {
  const { weights, ...rest } = options;
  const settings: CycleGanSettings = { ...applySettings(preset.cyclegan, rest as Partial<CycleGanSettings>), weights: applySettings(preset.cyclegan.weights, weights ?? {}) };
  const networks = createNetworks(preset, checkSameChannels(source, target, preset), seed);
  const config = { stage: 'cyclegan', image: preset.image, g: preset.g, settings, seed, shape: source.shape, counts: [source.count, target.count] };
  const task = new CycleGanTask({ source, target, networks, settings, seed, config });
  try {
    const sample = createSampler(source, options.sampleCount ?? 24);
    const outcome = await runTraining(task, { ...options, steps: settings.steps, onSampleStep: (step) => options.onSample?.(step, sample(task.average.networks)) });
    if (outcome.outcome === 'finished') {
      for (const name of ['D-avatar', 'D-photo'] as const) await saveNetwork(networks[name], path.join(outputDir, name));
      await exportSelected(task.average.networks, task.best, settings.selection.keep, outputDir);
    }
    return { ...outcome, best: task.best.found };
  } finally {
    task.dispose();
    for (const network of Object.values(networks)) (network as Network).dispose();
  }
}

function createNetworks(preset: Preset, channels: number, seed: number): CycleGanNetworks {
  const generator = (name: string, place: number) => Network.create(describeResidualGenerator(name, preset, channels), preset.initialization, seed + place);
  const discriminator = (name: string, place: number) => Network.create(describePatchDiscriminator(name, preset, channels), preset.initialization, seed + place);
  return { G: generator('G', 2), F: generator('F', 3), 'D-avatar': discriminator('D-avatar', 4), 'D-photo': discriminator('D-photo', 5) };
}

/** Photos, their caricatures, and the photos drawn back from those. */
function createSampler(source: Dataset, wanted: number): (networks: { G: Network; F: Network }) => SampleGrid {
  const indices = spreadIndices(source.count, wanted);
  const photos = source.batch(indices).images;
  return ({ G, F }) =>
    tf.tidy(() => {
      const caricatures = G.apply(toTensor(photos, source.shape));
      return { photos, caricatures: toPixels(caricatures), beside: toPixels(F.apply(caricatures)), count: indices.length, shape: source.shape };
    });
}
