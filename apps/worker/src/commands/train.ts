import { join } from 'node:path';
import type { TrainingRunSpec } from '@caricature/contracts';
import { resolvePreset, trainDtn } from '@caricature/models';
import { Dataset } from '@caricature/tensors';
import { keepCheckpoints } from '../checkpoints.js';
import { drawSampleGrid } from '../sample-grid.js';
import { ImpossibleError, InterruptedError } from '../stage.error.js';
import type { StageContext, StageOutput } from '../stage.js';
import { createStepReporter } from '../training-reports.js';
import { checkData } from './pretrain.js';

interface TrainConfig extends Pick<TrainingRunSpec, 'model' | 'seed'> {
  train: Omit<TrainingRunSpec['train'], 'checkpointEverySteps' | 'sampleEverySteps'>;
  checkpointEverySteps: number;
  sampleEverySteps: number;
}

/** Trains the networks that turn a photo into a caricature. */
export async function train(context: StageContext<TrainConfig>): Promise<StageOutput> {
  const { config, scratchDir, signal, store, assignment } = context;
  if (config.model.architecture !== 'DTN') throw new ImpossibleError(`spec.model.architecture: ${config.model.architecture} cannot be trained by this version; DTN can`);
  if (config.train.mode !== 'Frozen') throw new ImpossibleError(`spec.train.mode: ${config.train.mode} cannot be trained by this version; Frozen can`);
  const preset = resolvePreset(config.model.preset, config.model);
  const source = await Dataset.open(join(await context.input('prepare-faces'), 'train'));
  const target = await Dataset.open(join(await context.input('prepare-avatars'), 'train'));
  const batchSize = config.train.batchSize ?? preset.dtn.batchSize;
  checkData(source, batchSize, 'train');
  checkData(target, batchSize, 'train', 'avatars');
  const outputDir = join(scratchDir, 'output');
  const { outcome, metrics } = await trainDtn({
    ...config.train,
    checkpointEverySteps: config.checkpointEverySteps,
    sampleEverySteps: config.sampleEverySteps,
    ...(await keepCheckpoints(context)),
    source,
    target,
    f: join(await context.input('pretrain'), 'f'),
    preset,
    seed: config.seed,
    outputDir,
    signal,
    onStep: createStepReporter(context, batchSize),
    onSample: async (step, grid) => {
      const name = `samples/${assignment.key}/step-${String(step).padStart(7, '0')}.png`;
      const { sha256 } = await store.put(name, await drawSampleGrid(grid));
      context.report({ type: 'sample', step, digest: sha256, uri: `${store.uri.replace(/\/$/, '')}/${name}` });
    },
  });
  source.close();
  target.close();
  if (outcome === 'interrupted') throw new InterruptedError();
  return { dir: outputDir, metadata: { metrics } };
}
