import path from 'node:path';
import type { Dataset } from '@caricature/tensors';
import { ClassifierTask } from '../classifier/classifier.task.js';
import { checkShape } from '../check-data.js';
import { saveNetwork } from '../export/layers-model.js';
import { Network } from '../layers/network.js';
import { ModelError } from '../models.error.js';
import { describeExtractor, describeHead } from '../networks.js';
import { applySettings, type Preset } from '../presets.js';
import type { TrainingOverrides } from '../settings.js';
import { runTraining, type TrainerOptions, type TrainingOutcome } from '../trainer/trainer.js';

export interface TrainJudgeOptions extends Omit<TrainerOptions, 'steps' | 'onSampleStep' | 'sampleEverySteps'>, TrainingOverrides {
  /** Target images with their true traits, or with true labels. */
  dataset: Dataset;
  preset: Preset;
  /** Number of values of each trait, in the order of the data set's traits; without it the judge reads labels. */
  traitSizes?: number[] | undefined;
  seed: number;
  /** Receives `judge/` (features) and `judge-head/` (features → logits of all traits, or of the labels). */
  outputDir: string;
}

/** Trains the judge, which reads traits or labels off a target image: it scores transfers and never takes part in training them. */
export async function trainJudge({ dataset, preset, traitSizes, seed, outputDir, ...options }: TrainJudgeOptions): Promise<TrainingOutcome> {
  if (traitSizes && dataset.manifest.traitNames?.length !== traitSizes.length) {
    throw new ModelError(`${dataset.folder} has true traits ${JSON.stringify(dataset.manifest.traitNames ?? [])}, the judge needs ${traitSizes.length} of them`);
  }
  const settings = applySettings(preset.judge, options);
  const f = { width: preset.judge.width, levels: preset.judge.levels, featureSize: preset.judge.featureSize, augmentation: 'none' as const };
  const channels = checkShape(dataset, preset);
  const sizes = traitSizes ?? [dataset.manifest.numLabels];
  const extractor = Network.create(describeExtractor({ imageSize: preset.imageSize, f }, channels), 'xavier', seed);
  const head = Network.create(describeHead(f.featureSize, sizes.reduce((a, b) => a + b, 0)), 'xavier', seed + 1);
  const config = { stage: 'judge', f, settings, seed, shape: dataset.shape, traitSizes: sizes, count: dataset.count };
  const groups = { sizes, classesOf: (i: number) => (traitSizes ? dataset.traitsOf(i)! : [dataset.labels[i]!]) };
  const task = new ClassifierTask({ dataset, extractor, head, settings, augmentation: 'none', seed, groups, config });
  try {
    const outcome = await runTraining(task, { ...options, steps: settings.steps });
    if (outcome.outcome === 'finished') {
      await saveNetwork(extractor, path.join(outputDir, 'judge'));
      await saveNetwork(head, path.join(outputDir, 'judge-head'));
    }
    return outcome;
  } finally {
    task.dispose();
    extractor.dispose();
    head.dispose();
  }
}
