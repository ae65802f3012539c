import type { Dataset } from '@caricature/tensors';
import { checkShape } from '../check-data.js';
import { Network } from '../layers/network.js';
import { describeExtractor, describeHead } from '../networks.js';
import { applySettings, type Preset } from '../presets.js';
import type { SelectionSettings, TrainingOverrides } from '../settings.js';
import { exportSelected } from '../trainer/export-selected.js';
import { runTraining, type TrainerOptions, type TrainingOutcome } from '../trainer/trainer.js';
import { ClassifierTask } from './classifier.task.js';

export interface TrainClassifierOptions extends Omit<TrainerOptions, 'steps' | 'onSampleStep' | 'sampleEverySteps'>, TrainingOverrides {
  dataset: Dataset;
  preset: Preset;
  validationShare?: number | undefined;
  selection?: SelectionSettings | undefined;
  seed: number;
  /** Receives `f/` (the features before the softmax) and `head/` (features → logits of names) when training finishes. */
  outputDir: string;
}

/**
 * Trains f: a convolutional network that names the person on a photo; the layer before the softmax is what f is used for.
 * Metrics of a step: `loss` (cross-entropy) and `accuracy`.
 */
export async function trainClassifier({ dataset, preset, seed, outputDir, ...options }: TrainClassifierOptions): Promise<TrainingOutcome> {
  const settings = applySettings(preset.classifier, options);
  const extractor = Network.create(describeExtractor(preset, checkShape(dataset, preset)), 'xavier', seed);
  const head = Network.create(describeHead(preset.f.featureSize, dataset.manifest.numLabels), 'xavier', seed + 1);
  const config = { stage: 'classifier', f: preset.f, settings, seed, shape: dataset.shape, numLabels: dataset.manifest.numLabels, count: dataset.count };
  const groups = { sizes: [dataset.manifest.numLabels], classesOf: (i: number) => [dataset.labels[i]!] };
  const task = new ClassifierTask({ dataset, extractor, head, settings, augmentation: preset.f.augmentation, seed, groups, validation: { share: settings.validationShare, selection: settings.selection }, config });
  try {
    const outcome = await runTraining(task, { ...options, steps: settings.steps });
    if (outcome.outcome === 'finished') await exportSelected({ f: extractor, head }, task.best, settings.selection.keep, outputDir);
    return { ...outcome, best: task.best.found };
  } finally {
    task.dispose();
    extractor.dispose();
    head.dispose();
  }
}
