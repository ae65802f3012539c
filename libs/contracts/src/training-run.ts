import { z } from 'zod';
import { API_VERSION, datasetName, executionFields, objectMeta, resourceName, type StoredMeta, type TrainingRunStatus } from './common.js';

export const ARCHITECTURES = ['DTN', 'Pix2Pix', 'CycleGAN', 'Classifier'] as const;
export const PRESETS = ['faces-152', 'faces-64', 'report-152', 'faces-32-test', 'digits-32'] as const;
export const PHOTO_LAYOUTS = ['PersonFolders', 'MsraCfw', 'Lfw', 'CelebA', 'Labels'] as const;
/** What to do about a training that has one of HEALTH_CONDITIONS. */
export const UNHEALTHY_ACTIONS = ['Stop', 'Rollback', 'Continue'] as const;
export const OPTIMIZERS = ['Adam', 'Momentum', 'SGD'] as const;

/** What each preset's image sizes are multiples of: its networks halve an image as often as that. */
export const SIZE_MULTIPLES: Record<(typeof PRESETS)[number], number> = { 'faces-152': 8, 'faces-64': 16, 'report-152': 8, 'faces-32-test': 8, 'digits-32': 8 };

/** The losses whose weights each architecture takes. */
export const LOSS_WEIGHTS: Record<(typeof ARCHITECTURES)[number], string[]> = {
  DTN: ['gan', 'const', 'tid', 'tv'],
  Pix2Pix: ['gan', 'l1'],
  CycleGAN: ['gan', 'cycle', 'identity'],
  Classifier: [],
};

const steps = z.int().min(1).max(10_000_000);
const batchSize = z.int().min(2).max(4096);
/** A rate is a positive number: 0.015 is the report's. */
const learningRate = z.number().gt(0).lte(10);
const weight = z.number().min(0).max(1_000_000);

/** A `file:` address that names a folder of this machine: another would only fail where it is read, again and again. */
export const FOLDER_URI = '^file:///([^%]|%[013-9A-Fa-f][0-9A-Fa-f]|%2[0-9A-Ea-e])*$';
const folder = new RegExp(FOLDER_URI);
const sourceUri = z
  .string()
  .min(1)
  .max(2048)
  .refine((uri) => !uri.startsWith('file:') || folder.test(uri), { message: 'a folder is given with its whole path (file:///…), where %25 stands for a percent sign and %2F may not be' });

export const photoSource = z.strictObject({
  uri: sourceUri.describe('Where the photos are: a folder (file:///…), s3://bucket/prefix at the endpoint of the artifact store and with its access, or synthetic://people and synthetic://digits, which are drawn'),
  layout: z.enum(PHOTO_LAYOUTS).default('PersonFolders'),
  alreadyCropped: z.boolean().default(false).describe('The photos are face crops: no detector is run'),
  minImagesPerPerson: z.int().min(1).max(100_000).default(2),
  maxPeople: z.int().min(1).max(1_000_000).optional(),
  maxImagesPerPerson: z.int().min(1).max(100_000).optional(),
});

/** Pictures that are there already, in place of a crawl. */
export const imageSource = z.strictObject({
  uri: sourceUri.describe('Where the pictures are: a folder (file:///…), or s3://bucket/prefix at the endpoint of the artifact store and with its access'),
  layout: z.enum(PHOTO_LAYOUTS).default('PersonFolders').describe('PersonFolders: a folder a label. Labels train nothing: where source and target share them, they let the transfer be scored'),
});

export const trainingSource = z
  .strictObject({ photos: photoSource.optional(), dataset: datasetName.optional().describe('The faces that another TrainingRun has prepared: its name') })
  .refine((s) => (s.photos === undefined) !== (s.dataset === undefined), { message: 'exactly one of photos and dataset must be set' });

export const trainingTarget = z
  .strictObject({ crawlJobRef: z.strictObject({ name: resourceName }).optional(), images: imageSource.optional(), dataset: datasetName.optional() })
  .refine((t) => [t.crawlJobRef, t.images, t.dataset].filter((way) => way !== undefined).length === 1, { message: 'exactly one of crawlJobRef, images and dataset must be set' });

export const trainingRunSpec = z
  .strictObject({
    model: z.strictObject({
      architecture: z.enum(ARCHITECTURES).default('DTN'),
      preset: z.enum(PRESETS).default('faces-64'),
      imageSize: z.int().min(16).max(1024).optional().describe("Overrides the preset's image size"),
      baseWidth: z.int().min(4).max(1024).optional().describe("Overrides the preset's number of channels in the first layer"),
    }).refine((m) => m.imageSize === undefined || m.imageSize % SIZE_MULTIPLES[m.preset] === 0, {
      message: 'must be a multiple of 16 for the preset faces-64 and of 8 for the others: the networks halve the image that often',
      path: ['imageSize'],
    }).prefault({}),
    source: trainingSource,
    target: trainingTarget.optional(),
    pretrain: z.strictObject({ steps: steps.optional(), batchSize: batchSize.optional(), learningRate: learningRate.optional(), optimizer: z.enum(OPTIMIZERS).optional() }).prefault({}),
    train: z
      .strictObject({
        steps: steps.optional(),
        batchSize: batchSize.optional(),
        learningRate: learningRate.optional(),
        optimizer: z.enum(OPTIMIZERS).optional(),
        mode: z.enum(['Frozen', 'Joint']).default('Frozen'),
        weights: z.strictObject({ gan: weight, const: weight, tid: weight, tv: weight, cycle: weight, l1: weight, identity: weight }).partial().optional(),
        onUnhealthy: z.enum(UNHEALTHY_ACTIONS).default('Continue').describe('What to do when the training diverged, the discriminator dominates or the generator seems to draw one picture only. Rollback: go on from an earlier checkpoint at half the learning rate, at most three times'),
        checkpointEverySteps: z.int().min(1).max(1_000_000).default(100),
        sampleEverySteps: z.int().min(1).max(1_000_000).default(100),
      })
      .prefault({}),
    evaluate: z.strictObject({ images: z.int().min(8).max(100_000).default(256), judgeSteps: z.int().min(10).max(100_000).default(250) }).prefault({}),
    publish: z.strictObject({ model: resourceName, alias: z.string().min(1).max(63).regex(/^[a-z0-9-]+$/).default('staging') }).optional(),
    seed: z.int().min(0).max(2_147_483_647).default(1),
    ...executionFields,
  })
  .refine((s) => s.train.mode === 'Frozen' || s.model.architecture === 'DTN', { message: 'Joint trains f along with the DTN: only the architecture DTN has one', path: ['train', 'mode'] })
  .refine((s) => Object.keys(s.train.weights ?? {}).every((name) => LOSS_WEIGHTS[s.model.architecture].includes(name)), {
    message: 'DTN takes gan, const, tid and tv; Pix2Pix takes gan and l1; CycleGAN takes gan, cycle and identity',
    path: ['train', 'weights'],
  })
  .refine((s) => s.model.architecture !== 'Classifier' || s.publish === undefined, { message: 'a Classifier draws nothing that could be served: leave it out', path: ['publish'] })
  .refine((s) => s.model.architecture === 'Classifier' || s.target !== undefined, { message: 'is needed by this architecture', path: ['target'] });

export const trainingRun = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('TrainingRun'),
  metadata: objectMeta,
  spec: trainingRunSpec,
});

export type TrainingRunSpec = z.output<typeof trainingRunSpec>;

export interface TrainingRun {
  apiVersion: typeof API_VERSION;
  kind: 'TrainingRun';
  metadata: StoredMeta;
  spec: TrainingRunSpec;
  status?: TrainingRunStatus;
}
