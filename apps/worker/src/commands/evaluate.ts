import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainingRunSpec } from '@caricature/contracts';
import { evaluateTransfer, resolvePreset, trainClassifier, trainJudge, type Preset, type TransferScores } from '@caricature/models';
import { TRAIT_NAMES, TRAITS } from '@caricature/portraits';
import { Dataset } from '@caricature/tensors';
import sharp from 'sharp';
import { outputOf } from '../architectures.js';
import { renderReport } from '../evaluation-report.js';
import { makePositionJudgement } from '../feature-positions.js';
import { createProgress } from '../progress.js';
import { drawSampleGrid } from '../sample-grid.js';
import { InterruptedError, namingField } from '../stage.error.js';
import type { StageContext, StageOutput } from '../stage.js';

interface EvaluateConfig extends Pick<TrainingRunSpec, 'evaluate' | 'model' | 'seed'> {
  /** Of the architectures without a stage pretrain: how the reader is trained. */
  pretrain?: TrainingRunSpec['pretrain'];
}

const TRAIT_SIZES = TRAIT_NAMES.map((name) => TRAITS[name].length);
const BALD = TRAITS.hair.indexOf('bald');

/** Scores the caricatures on photos and avatars that no network was trained on, and writes the report. */
export async function evaluate(context: StageContext<EvaluateConfig>): Promise<StageOutput> {
  const { config, scratchDir } = context;
  const preset = resolvePreset(config.model.preset, config.model);
  const source = await openPhotos(context);
  const avatars = await context.input('prepare-avatars');
  const target = await Dataset.open(join(avatars, 'heldout'));
  const kind = findJudgement(source, target);
  if (!kind) context.log('the target pictures carry neither true traits nor the labels of the source: the scores of a judge are left out');
  const judgeDir = kind && (await makeJudge(context, join(avatars, 'train'), preset, kind));
  const judgement = kind === 'traits' && source.traits ? await makePositionJudgement(context, { size: preset.imageSize, steps: config.evaluate.judgeSteps, seed: config.seed }) : undefined;
  const trained = await context.input('train');
  const { scores, grid } = await evaluateTransfer({
    source,
    target,
    transfer: outputOf(config.model.architecture).draws.map((network) => join(trained, network)),
    readerDir: await findReader(context, preset),
    ...(judgeDir ? { judgeDir } : {}),
    ...(kind === 'traits' ? { traitSizes: TRAIT_SIZES } : {}),
    // A bald, shaven head shows no hair colour: nothing to agree on.
    traitApplies: (trait, traits) => trait !== 'hairColor' || traits['hair'] !== BALD || traits['beard'] !== 0,
    positions: judgement?.positions,
    images: config.evaluate.images,
    seed: config.seed,
  });
  if (scores.positionError !== undefined) Object.assign(scores, judgement?.readerScores);
  const metrics = { ...flatScores(scores), ...(scores.labelPreservation === undefined ? {} : chanceLevels(source.manifest.numLabels)) };
  const dir = join(scratchDir, 'report');
  await mkdir(dir, { recursive: true });
  const picture = await drawSampleGrid(grid);
  await writeFile(join(dir, 'grid.png'), picture);
  await writeFile(join(dir, 'photo.jpg'), await firstPhoto(grid));
  await writeFile(join(dir, 'scores.json'), JSON.stringify(scores, null, 2));
  await writeFile(join(dir, 'report.html'), renderReport({ run: context.assignment.owner.name, preset: preset.name, scores, gridPng: picture, photos: source.count, avatars: target.count }));
  source.close();
  target.close();
  context.log(Object.entries(metrics).map(([name, value]) => `${name} ${value.toFixed(3)}`).join(', '));
  return { dir, metadata: { metrics, traits: scores.traits ?? {} } };
}

/** The photos kept from training, or the training photos where people had too few to keep any. */
async function openPhotos(context: StageContext<EvaluateConfig>): Promise<Dataset> {
  const faces = await context.input('prepare-faces');
  const heldOut = await Dataset.open(join(faces, 'heldout'));
  if (heldOut.count >= 8) return heldOut;
  heldOut.close();
  context.log('too few photos were kept from training: the scores are read on the training photos');
  return Dataset.open(join(faces, 'train'));
}

/**
 * Who reads the people off the caricatures: f as it was pretrained. Architectures that have no f of their own are read by the same one, trained here, so
 * that their scores mean the same.
 */
async function findReader(context: StageContext<EvaluateConfig>, preset: Preset): Promise<string | undefined> {
  const { assignment, config, scratchDir, signal, log, report } = context;
  if (assignment.inputs['pretrain']) return context.input('pretrain');
  const dataset = await Dataset.open(join(await context.input('prepare-faces'), 'train'));
  try {
    if (dataset.manifest.numLabels < 2) {
      log('one person only: the scores of identity are left out');
      return undefined;
    }
    const outputDir = join(scratchDir, 'reader');
    const progress = createProgress(report);
    const batchSize = Math.min(config.pretrain?.batchSize ?? preset.classifier.batchSize, dataset.count);
    const options = { ...config.pretrain, dataset, preset, batchSize, seed: config.seed, outputDir, checkpointDir: outputDir, resume: true, signal };
    const { outcome, metrics } = await trainClassifier({ ...options, onStep: ({ step, totalSteps }) => progress(step, totalSteps) }).catch(namingField('spec.pretrain.learningRate'));
    if (outcome === 'interrupted') throw new InterruptedError();
    log(`the reader names people on photos with accuracy ${metrics['accuracy']?.toFixed(3)}`);
    return outputDir;
  } finally {
    dataset.close();
  }
}

/** What can be judged: labels, where both domains have the same ones (digits), or the true traits of avatars. */
function findJudgement(source: Dataset, target: Dataset): 'labels' | 'traits' | undefined {
  const { numLabels, labelNames } = target.manifest;
  if (numLabels > 1 && labelNames.join() === source.manifest.labelNames.join()) return 'labels';
  return target.traits?.every((value) => value >= 0) ? 'traits' : undefined;
}

/** Trains the judge on the target domain's true traits or labels; gives its folder. */
async function makeJudge(context: StageContext<EvaluateConfig>, avatars: string, preset: Preset, kind: 'labels' | 'traits'): Promise<string> {
  const dataset = await Dataset.open(avatars);
  try {
    const outputDir = join(context.scratchDir, 'judge');
    const progress = createProgress(context.report);
    const { outcome, metrics } = await trainJudge({
      dataset,
      preset,
      ...(kind === 'traits' ? { traitSizes: TRAIT_SIZES } : {}),
      steps: Math.min(config(context).judgeSteps, Math.max(30, preset.judge.steps)),
      batchSize: Math.min(preset.judge.batchSize, dataset.count),
      seed: context.config.seed,
      outputDir,
      signal: context.signal,
      onStep: ({ step, totalSteps }) => progress(step, totalSteps),
    });
    if (outcome === 'interrupted') throw new InterruptedError();
    context.log(`the judge reads ${kind} with accuracy ${metrics['accuracy']?.toFixed(3)} in training`);
    return outputDir;
  } finally {
    dataset.close();
  }
}

function config(context: StageContext<EvaluateConfig>): EvaluateConfig['evaluate'] {
  return context.config.evaluate;
}

/** The scores that are single numbers, each trait's agreement and each feature's error. */
function flatScores({ traits, positions, ...scores }: TransferScores): Record<string, number> {
  const each = Object.entries(traits ?? {}).map(([name, { agreement }]) => [`trait/${name}`, agreement]);
  const errors = Object.entries(positions ?? {}).map(([name, { error }]) => [`position/${name}`, error]);
  return { ...(scores as Record<string, number>), ...Object.fromEntries([...each, ...errors]) };
}

/** What guessing a person at random would reach. */
function chanceLevels(people: number): Record<string, number> {
  return { labelPreservationChance: 1 / people, identityTop1Chance: 1 / people, identityTop5Chance: Math.min(1, 5 / people) };
}

/** A photo to try the service with. */
async function firstPhoto({ photos, shape: [height, width, channels] }: Parameters<typeof drawSampleGrid>[0]): Promise<Buffer> {
  const pixels = photos.subarray(0, height * width * channels);
  return sharp(pixels, { raw: { width, height, channels: channels as 1 | 3 } }).resize(width * 4, height * 4, { kernel: 'cubic' }).jpeg({ quality: 92 }).toBuffer();
}
