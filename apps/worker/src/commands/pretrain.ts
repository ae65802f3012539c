import { join } from 'node:path';
import type { TrainingRunSpec } from '@caricature/contracts';
import { resolvePreset, trainClassifier } from '@caricature/models';
import { Dataset } from '@caricature/tensors';
import { keepCheckpoints } from '../checkpoints.js';
import { ImpossibleError, InterruptedError } from '../stage.error.js';
import type { StageContext, StageOutput } from '../stage.js';
import { createStepReporter } from '../training-reports.js';

interface PretrainConfig extends Pick<TrainingRunSpec, 'model' | 'pretrain' | 'seed'> {}

/** Trains f: who is on a photo. */
export async function pretrain(context: StageContext<PretrainConfig>): Promise<StageOutput> {
  const { config, scratchDir, signal } = context;
  const preset = resolvePreset(config.model.preset, config.model);
  const dataset = await Dataset.open(join(await context.input('prepare-faces'), 'train'));
  const batchSize = config.pretrain.batchSize ?? preset.classifier.batchSize;
  checkData(dataset, batchSize, 'pretrain');
  const outputDir = join(scratchDir, 'output');
  const { outcome, metrics } = await trainClassifier({
    ...config.pretrain,
    ...(await keepCheckpoints(context)),
    dataset,
    preset,
    seed: config.seed,
    outputDir,
    signal,
    onStep: createStepReporter(context, batchSize),
  });
  dataset.close();
  if (outcome === 'interrupted') throw new InterruptedError();
  return { dir: outputDir, metadata: { metrics } };
}

/** @throws ImpossibleError when a data set cannot fill one batch, or holds one person only. */
export function checkData(dataset: Dataset, batchSize: number, stage: 'pretrain' | 'train', what = 'photos'): void {
  if (dataset.count < batchSize) {
    throw new ImpossibleError(`spec.${stage}.batchSize: ${batchSize} is more than the ${dataset.count} ${what} there are: set it to ${Math.max(2, dataset.count)} or less, or give more ${what}`);
  }
  if (stage === 'pretrain' && dataset.manifest.numLabels < 2) {
    throw new ImpossibleError('spec.source.photos: one person only: f learns to tell people apart, so give photos of at least two');
  }
}
