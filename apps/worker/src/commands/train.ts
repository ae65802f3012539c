import { join } from 'node:path';
import type { TrainingRunSpec } from '@caricature/contracts';
import { diversityOf, resolvePreset, trainCycleGan, trainDtn, trainPix2Pix, type Preset, type SampleGrid, type TrainingOutcome } from '@caricature/models';
import { Dataset } from '@caricature/tensors';
import { keepCheckpoints, type Rollback } from '../checkpoints.js';
import { drawPairs } from '../paired-avatars.js';
import { createProgress } from '../progress.js';
import { drawSampleGrid } from '../sample-grid.js';
import { ImpossibleError, InterruptedError, namingField } from '../stage.error.js';
import type { StageContext, StageOutput } from '../stage.js';
import { createStepReporter } from '../training-reports.js';
import { checkData } from './pretrain.js';

interface TrainConfig extends Pick<TrainingRunSpec, 'model' | 'seed'> {
  train: Omit<TrainingRunSpec['train'], 'checkpointEverySteps' | 'sampleEverySteps'>;
  checkpointEverySteps: number;
  sampleEverySteps: number;
  /** Set on an attempt that goes on from an earlier checkpoint. */
  rollback?: Rollback;
}

/** As the controller knows it, which judges a training by it. */
const DIVERSITY = 'samples/diversity';

type Context = StageContext<TrainConfig>;

interface Data {
  source: Dataset;
  target: Dataset;
  preset: Preset;
  outputDir: string;
}

const TRAINERS: Record<TrainConfig['model']['architecture'], (context: Context, data: Data) => Promise<TrainingOutcome>> = {
  DTN: async (context, data) => {
    const options = await commonOptions(context, data, data.preset.dtn.batchSize);
    checkData(data.target, options.batchSize, 'train', 'avatars');
    const f = await context.input('pretrain');
    return trainDtn({ ...options, target: data.target, mode: context.config.train.mode, f: join(f, 'f'), head: join(f, 'head'), onAdapt: reportAdaptation(context) });
  },
  Pix2Pix: async (context, data) => {
    const pairOf = await drawPairs(data.source);
    return trainPix2Pix({ ...(await commonOptions(context, data, data.preset.pix2pix.batchSize)), pairOf });
  },
  CycleGAN: async (context, data) => {
    const options = await commonOptions(context, data, data.preset.cyclegan.batchSize);
    checkData(data.target, options.batchSize, 'train', 'avatars');
    return trainCycleGan({ ...options, target: data.target });
  },
  Classifier: async () => {
    throw new ImpossibleError('spec.model.architecture: a Classifier is trained by the stage pretrain and has no other');
  },
};

/** Trains the networks that turn a photo into a caricature. */
export async function train(context: Context): Promise<StageOutput> {
  const { config, scratchDir } = context;
  const source = await Dataset.open(join(await context.input('prepare-faces'), 'train'));
  const target = await Dataset.open(join(await context.input('prepare-avatars'), 'train'));
  const outputDir = join(scratchDir, 'output');
  const data = { source, target, preset: resolvePreset(config.model.preset, config.model), outputDir };
  try {
    const { outcome, metrics, best } = await TRAINERS[config.model.architecture](context, data).catch(namingField('spec.train.learningRate'));
    if (outcome === 'interrupted') throw new InterruptedError();
    return { dir: outputDir, metadata: { metrics, ...(best ? { best } : {}) } };
  } finally {
    source.close();
    target.close();
  }
}

/** The bar fills once for this, and anew for the training. */
function reportAdaptation({ report, log }: Context): (step: number, totalSteps: number) => void {
  const progress = createProgress(report);
  return (step, totalSteps) => {
    if (step === 0) log(`f gets used to the target's pictures (${totalSteps} steps), then g and D are trained`);
    progress(step, totalSteps);
  };
}

/** What every architecture is trained with. Throws ImpossibleError when there are too few photos for a batch. */
async function commonOptions(context: Context, { source, preset, outputDir }: Data, presetBatchSize: number) {
  const { mode: _mode, onUnhealthy, batchSize = presetBatchSize, ...settings } = context.config.train;
  const { rollback } = context.config;
  checkData(source, batchSize, 'train');
  return {
    ...settings,
    batchSize,
    checkpointEverySteps: context.config.checkpointEverySteps,
    sampleEverySteps: context.config.sampleEverySteps,
    ...(await keepCheckpoints(context, { mayRollBack: onUnhealthy === 'Rollback', rollback })),
    rateScale: 0.5 ** (rollback?.times ?? 0),
    source,
    preset,
    seed: context.config.seed,
    outputDir,
    signal: context.signal,
    onStep: createStepReporter(context, batchSize),
    onSample: (step: number, grid: SampleGrid) => keepSample(context, step, grid),
  };
}

async function keepSample({ store, assignment, report }: Context, step: number, grid: SampleGrid): Promise<void> {
  const name = `samples/${assignment.key}/step-${String(step).padStart(7, '0')}.png`;
  const { sha256 } = await store.put(name, await drawSampleGrid(grid));
  const diversity = diversityOf(grid);
  if (diversity !== undefined) report({ type: 'metrics', step, at: new Date().toISOString(), values: { [DIVERSITY]: diversity } });
  report({ type: 'sample', step, digest: sha256, uri: `${store.uri.replace(/\/$/, '')}/${name}` });
}
