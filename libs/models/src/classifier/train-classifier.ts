import path from 'node:path';
import type { Dataset } from '@caricature/tensors';
import { saveNetwork } from '../export/layers-model.js';
import { Network } from '../layers/network.js';
import { ModelError } from '../models.error.js';
import { describeExtractor, describeHead } from '../networks.js';
import { applySettings, type Preset, type TrainingSettings } from '../presets.js';
import { runTraining, type TrainerOptions, type TrainingOutcome } from '../trainer/trainer.js';
import { ClassifierTask } from './classifier.task.js';

/** Settings that a resource may give over its preset's. */
export type TrainingOverrides = { [K in keyof TrainingSettings]?: TrainingSettings[K] | undefined };

export interface TrainClassifierOptions extends Omit<TrainerOptions, 'steps' | 'onSampleStep' | 'sampleEverySteps'>, TrainingOverrides {
  dataset: Dataset;
  preset: Preset;
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
  const task = new ClassifierTask({ dataset, extractor, head, settings, augmentation: preset.f.augmentation, seed, groups, config });
  try {
    const outcome = await runTraining(task, { ...options, steps: settings.steps });
    if (outcome.outcome === 'finished') {
      await saveNetwork(extractor, path.join(outputDir, 'f'));
      await saveNetwork(head, path.join(outputDir, 'head'));
    }
    return outcome;
  } finally {
    task.dispose();
    extractor.dispose();
    head.dispose();
  }
}

/** The number of channels; throws ModelError when the images are not of the preset's size. */
export function checkShape(dataset: Dataset, { imageSize, name }: Preset): number {
  const [height, width, channels] = dataset.shape;
  if (height !== imageSize || width !== imageSize) {
    throw new ModelError(`${dataset.folder} holds images of ${height}×${width}, preset ${name} is for ${imageSize}×${imageSize}: prepare them at that size`);
  }
  if (dataset.count === 0) throw new ModelError(`${dataset.folder} holds no images`);
  return channels;
}
