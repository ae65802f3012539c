import type { ArtifactRef, StageName } from './common.js';
import type { CrawlJobSpec } from './crawl-job.js';
import type { TrainingRunSpec } from './training-run.js';

/**
 * The version of what each stage computes. Raise one when its output changes for the same configuration and inputs: it is a part of
 * the artifact's key, so the stage is run anew everywhere.
 */
export const STAGE_VERSIONS: Record<StageName, number> = {
  discover: 1,
  crawl: 1,
  'prepare-faces': 3,
  'prepare-avatars': 1,
  pretrain: 8,
  train: 17,
  evaluate: 8,
  publish: 2,
};

/** What a stage is told to compute: it is hashed into the artifact's key, so it holds nothing that does not change the result. */
export type StageConfig = Record<string, unknown>;

export interface ResourceOwner {
  kind: 'CrawlJob' | 'TrainingRun';
  namespace: string;
  name: string;
  uid: string;
}

/** The JSON that a worker is started with. */
export interface StageAssignment {
  job: string;
  stage: StageName;
  attempt: number;
  key: string;
  owner: ResourceOwner;
  config: StageConfig;
  /** How the stage goes about it, without changing what comes out; not a part of the key. */
  pace: StageConfig;
  /** Finished artifacts of earlier stages, by the stage's name. */
  inputs: Record<string, ArtifactRef>;
}

export interface StageDefinition<Spec> {
  name: StageName;
  /** The stages whose artifacts this one reads. */
  needs: StageName[];
  config(spec: Spec): StageConfig;
  /** What changes how the stage goes about its work, but not its output: changing it runs nothing anew. */
  pace?(spec: Spec): StageConfig;
}

export const CRAWL_STAGES: StageDefinition<CrawlJobSpec>[] = [
  {
    name: 'discover',
    needs: [],
    config: ({ source, image }) => ({ source, image }),
    pace: ({ politeness }) => ({ politeness }),
  },
  {
    name: 'crawl',
    needs: ['discover'],
    config: ({ source, sampling, image, output }) => ({ source, sampling, image, imagesPerShard: output.imagesPerShard }),
    pace: ({ politeness }) => ({ politeness }),
  },
];

/** The stages that a crawl goes through: `discover` only when its catalog has to be found out. */
export function crawlStages(spec: CrawlJobSpec): StageDefinition<CrawlJobSpec>[] {
  const discovers = spec.source.catalog?.discover !== undefined;
  return CRAWL_STAGES.filter((s) => s.name !== 'discover' || discovers).map((s) => (discovers ? s : { ...s, needs: [] }));
}

/** What decides the weights: how often they are saved and looked at does not, nor does what stops a training or lets it go on. */
function withoutRhythm({ checkpointEverySteps: _checkpoints, sampleEverySteps: _samples, onUnhealthy, ...train }: TrainingRunSpec['train']): StageConfig {
  return onUnhealthy === 'Rollback' ? { ...train, onUnhealthy } : train;
}

const TRAINING_STAGES: StageDefinition<TrainingRunSpec>[] = [
  {
    name: 'prepare-faces',
    needs: [],
    config: ({ source, model, seed }) => ({ photos: source.photos, preset: model.preset, imageSize: model.imageSize, seed }),
  },
  {
    name: 'prepare-avatars',
    needs: ['crawl'],
    // Pictures from a folder are mixed and divided by the seed; a crawl has mixed its own.
    config: ({ model, target, seed }) => ({ preset: model.preset, imageSize: model.imageSize, ...(target?.images && { images: target.images, seed }) }),
  },
  {
    name: 'pretrain',
    needs: ['prepare-faces'],
    config: ({ model, pretrain, seed }) => ({ model, pretrain, seed }),
  },
  {
    name: 'train',
    needs: ['prepare-faces', 'prepare-avatars', 'pretrain'],
    config: ({ model, train, seed }) => ({ model, train: withoutRhythm(train), seed }),
    pace: ({ train: { checkpointEverySteps, sampleEverySteps } }) => ({ checkpointEverySteps, sampleEverySteps }),
  },
  {
    name: 'evaluate',
    needs: ['prepare-faces', 'prepare-avatars', 'pretrain', 'train'],
    // Without a stage pretrain, the f that reads the caricatures is trained here.
    config: ({ evaluate, model, pretrain, seed }) => ({ evaluate, model, seed, ...(hasPretrain(model) ? {} : { pretrain }) }),
  },
  {
    name: 'publish',
    needs: ['pretrain', 'train', 'evaluate'],
    // The alias is left out: it may change later, and moving it makes no new model.
    config: ({ publish, model, pretrain, train, seed }) => ({ name: publish?.model, model, pretrain, train: withoutRhythm(train), seed }),
  },
];

/** The stages that a run goes through, in an order in which every stage comes after those that it needs. */
export function trainingStages(spec: TrainingRunSpec): StageDefinition<TrainingRunSpec>[] {
  const left = new Set<StageName>(spec.publish ? [] : ['publish']);
  // Work of another resource: its artifact is needed, but it is no stage of this run.
  const elsewhere = spec.source.dataset === undefined ? [] : ['prepare-faces'];
  if (spec.target?.images) left.add('crawl');
  if (!hasPretrain(spec.model)) left.add('pretrain');
  if (spec.model.architecture === 'Classifier') for (const name of ['prepare-avatars', 'train', 'evaluate', 'publish'] as const) left.add(name);
  return TRAINING_STAGES.filter((s) => !left.has(s.name) && !elsewhere.includes(s.name)).map((s) => ({ ...s, needs: s.needs.filter((need) => !left.has(need)) }));
}

/** Pix2Pix and CycleGAN go from image to image: they have no f. */
function hasPretrain({ architecture }: TrainingRunSpec['model']): boolean {
  return architecture === 'DTN' || architecture === 'Classifier';
}
