import { join } from 'node:path';
import type { TrainingRunSpec } from '@caricature/contracts';
import { evaluateClassifier, resolvePreset, trainClassifier, type ClassifierScores } from '@caricature/models';
import { Dataset } from '@caricature/tensors';
import { keepCheckpoints } from '../checkpoints.js';
import { ImpossibleError, InterruptedError, namingField } from '../stage.error.js';
import type { StageContext, StageOutput } from '../stage.js';
import { createStepReporter } from '../training-reports.js';

interface PretrainConfig extends Pick<TrainingRunSpec, 'model' | 'pretrain' | 'seed'> {}

/** Trains f: who is on a photo. Its accuracy is read on photos that were kept from it. */
export async function pretrain(context: StageContext<PretrainConfig>): Promise<StageOutput> {
  const { config, scratchDir, signal } = context;
  const preset = resolvePreset(config.model.preset, config.model);
  const dataset = await Dataset.open(join(await context.input('prepare-faces'), 'train'));
  const batchSize = config.pretrain.batchSize ?? preset.classifier.batchSize;
  checkData(dataset, batchSize, 'pretrain');
  const outputDir = join(scratchDir, 'output');
  const { outcome, metrics, best } = await trainClassifier({
    ...config.pretrain,
    ...(await keepCheckpoints(context)),
    dataset,
    preset,
    seed: config.seed,
    outputDir,
    signal,
    onStep: createStepReporter(context, batchSize),
  }).catch(namingField('spec.pretrain.learningRate'));
  dataset.close();
  if (outcome === 'interrupted') throw new InterruptedError();
  return { dir: outputDir, metadata: { metrics: { ...metrics, ...(await readHeldOut(context, outputDir)) }, ...(best ? { best } : {}) } };
}

async function readHeldOut(context: StageContext<PretrainConfig>, classifierDir: string): Promise<ClassifierScores | undefined> {
  const heldOut = await Dataset.open(join(await context.input('prepare-faces'), 'heldout'));
  try {
    if (heldOut.count === 0) return undefined;
    const scores = await evaluateClassifier(classifierDir, heldOut);
    context.log(`names ${(scores.heldOutAccuracy * 100).toFixed(1)} % of ${heldOut.count} photos that it was not trained on (guessing: ${(scores.heldOutAccuracyChance * 100).toFixed(1)} %)`);
    return scores;
  } finally {
    heldOut.close();
  }
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
