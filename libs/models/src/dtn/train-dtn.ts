import path from 'node:path';
import type { Dataset } from '@caricature/tensors';
import { tf } from '../backend/tensorflow.js';
import { checkSameChannels } from '../check-data.js';
import { loadNetwork, saveNetwork } from '../export/layers-model.js';
import { hasColour, toPixels, toTensor } from '../images.js';
import { foldBatchNorm, Network } from '../layers/network.js';
import { ModelError } from '../models.error.js';
import { describeDiscriminator, describeGenerator } from '../networks.js';
import { applySettings, type DtnSettings, type DtnWeights, type Preset } from '../presets.js';
import type { SelectionSettings, TrainingOverrides } from '../settings.js';
import { exportSelected } from '../trainer/export-selected.js';
import { runTraining, type TrainerOptions, type TrainingOutcome } from '../trainer/trainer.js';
import { type SampleGrid, spreadIndices } from '../transfer/sample-grid.js';
import { type AdaptOptions, adaptHypothesis } from './adapted-hypothesis.js';
import { adaptStatistics } from './adapted-statistics.js';
import { DtnTask } from './dtn.task.js';
import { computeFeatures, type Features } from './features.js';
import { nearestRows } from './nearest.js';

export interface TrainDtnOptions extends Omit<TrainerOptions, 'steps' | 'onSampleStep'>, TrainingOverrides {
  source: Dataset;
  target: Dataset;
  /** Folder of f, as `trainClassifier` wrote it. */
  f: string;
  /** Folder of the classifier on f's features. Needed by mode Joint; with it, the score says what f reads off the pictures. */
  head?: string | undefined;
  preset: Preset;
  /** Joint trains f along with the DTN, from where it is, and goes on with its own loss. Frozen (the paper's) unless told. */
  mode?: 'Frozen' | 'Joint' | undefined;
  weights?: { [K in keyof DtnWeights]?: DtnWeights[K] | undefined } | undefined;
  labelSmoothing?: number | undefined;
  averageDecay?: number | undefined;
  naming?: number | undefined;
  selection?: SelectionSettings | undefined;
  seed: number;
  /** Receives `g/`, `D/` and `f/` (as it is used with g), and `head/` in mode Joint, when training finishes. */
  outputDir: string;
  /** Images in a sample. */
  sampleCount?: number;
  onSample?: (step: number, grid: SampleGrid) => void | Promise<void>;
  /** How far f has got used to the target's pictures; what is trained follows. */
  onAdapt?: (step: number, totalSteps: number) => void;
}

/**
 * Trains the DTN on two unpaired sets of images. Metrics of a step: `g` (weighted sum), its terms `gan`, `const`, `tid`, `tv` and (Joint) `naming`,
 * D's loss `d`, and `accuracy/transferred`, `accuracy/reconstructed`, `accuracy/target`, the share that D puts into the right class.
 */
export async function trainDtn({ source, target, preset, seed, outputDir, ...options }: TrainDtnOptions): Promise<TrainingOutcome> {
  const settings = dtnSettings(preset, options);
  const mode = options.mode ?? 'Frozen';
  const channels = checkSameChannels(source, target, preset);
  const { whole, f } = await loadExtractor(options.f, preset, source);
  const head = options.head === undefined ? undefined : await loadNetwork(options.head);
  if (mode === 'Joint') checkHead(head, source);
  const g = Network.create(describeGenerator(preset, channels, hasColour(target)), preset.initialization, seed + 2);
  const D = Network.create(describeDiscriminator(preset, channels), preset.initialization, seed + 3);
  const adapting: AdaptOptions = { augmentation: preset.f.augmentation, noise: settings.unsteady?.noise ?? 0, signal: options.signal, onStep: options.onAdapt };
  const fOfTarget = mode === 'Frozen' ? await adaptedExtractor(settings, adapting, { whole, head }, target, seed) : undefined;
  const features = mode === 'Frozen' ? { source: computeFeatures(f, source), target: computeFeatures(fOfTarget ?? f, target) } : undefined;
  const config = { stage: 'dtn', mode, f: preset.f, g: preset.g, d: preset.d, settings, seed, shape: source.shape, counts: [source.count, target.count] };
  const task = new DtnTask({ source, target, networks: { f, fOfTarget, g, D, head }, features, settings, seed, config });
  try {
    const sample = createSampler(source, target, f, features?.target, options.sampleCount ?? 24);
    const outcome = await runTraining(task, { ...options, steps: settings.steps, onSampleStep: (step) => options.onSample?.(step, sample({ f, ...task.average.networks })) });
    if (outcome.outcome === 'finished') {
      await saveNetwork(D, path.join(outputDir, 'D'));
      if (mode === 'Frozen') await saveNetwork(whole, path.join(outputDir, 'f'));
      await exportSelected(task.average.networks, task.best, settings.selection.keep, outputDir);
    }
    return { ...outcome, best: task.best.found };
  } finally {
    task.dispose();
    for (const network of [whole, f, fOfTarget, g, D, head]) network?.dispose();
  }
}

function dtnSettings(preset: Preset, options: Partial<TrainDtnOptions>): DtnSettings {
  const { weights, ...rest } = options;
  return { ...applySettings(preset.dtn, rest as Partial<DtnSettings>), weights: applySettings(preset.dtn.weights, weights ?? {}) };
}

/** f as it was saved, and with its batch norm folded away: that is computed with, and trained in mode Joint. */
async function loadExtractor(folder: string, preset: Preset, source: Dataset): Promise<{ whole: Network; f: Network }> {
  const whole = await loadNetwork(folder);
  const f = foldBatchNorm(whole);
  if (f.outputShape.join() !== String(preset.f.featureSize) || f.description.inputShape.join() !== source.shape.join()) {
    throw new ModelError(`${folder} is an f for another preset: ${f.description.inputShape.join('×')} → ${f.outputShape.join()}`);
  }
  return { whole, f };
}

async function adaptedExtractor({ adaptation }: DtnSettings, options: AdaptOptions, { whole, head }: { whole: Network; head: Network | undefined }, target: Dataset, seed: number): Promise<Network | undefined> {
  if (adaptation === 'none') return undefined;
  // Without its classifier there is no hypothesis.
  const adapted = adaptation === 'hypothesis' && head ? await adaptHypothesis(whole, head, target, options, seed) : adaptStatistics(whole, target, seed);
  const folded = foldBatchNorm(adapted);
  adapted.dispose();
  return folded;
}

function checkHead(head: Network | undefined, source: Dataset): void {
  const names = source.manifest.numLabels;
  if (head?.outputShape.join() !== String(names)) {
    throw new ModelError(`mode Joint goes on training f by names: it needs the classifier that was trained with f on these ${names} people, got one of ${head?.outputShape.join() ?? 'none'}`);
  }
}

/** The same photos at every sample, with the avatars that are nearest to them in f's space at the start. */
function createSampler(source: Dataset, target: Dataset, f: Network, ofTarget: Features | undefined, wanted: number): (networks: Record<string, Network>) => SampleGrid {
  const indices = spreadIndices(source.count, wanted);
  const photos = source.batch(indices).images;
  const beside = target.batch(nearestRows(computeFeatures(f, source, indices), ofTarget ?? computeFeatures(f, target))).images;
  const draw = (networks: Record<string, Network>) => tf.tidy(() => toPixels(networks['g']!.apply(networks['f']!.apply(toTensor(photos, source.shape)))));
  return (networks) => ({ photos, beside, count: indices.length, shape: source.shape, caricatures: draw(networks) });
}
