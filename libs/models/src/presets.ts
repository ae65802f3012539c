import type { Augmentation } from './batches/augmentation.js';
import type { Initialization } from './layers/description.js';
import { ModelError } from './models.error.js';
import { IMAGE_PRESETS, type ImagePreset } from './presets.image.js';
import type { PresetName, SelectionSettings, TrainingSettings } from './settings.js';

export type { PresetName, SelectionSettings, TrainingSettings } from './settings.js';

export interface ClassifierSettings extends TrainingSettings {
  /** Share of the images that is not trained on but scored; 0 scores nothing. */
  validationShare: number;
  /** Scored by `loss`, the cross-entropy on the images set aside. */
  selection: SelectionSettings;
}

/** α = const, β = tid, γ = tv; gan is 1 in the paper. */
export interface DtnWeights {
  gan: number;
  const: number;
  tid: number;
  tv: number;
}

export interface DtnSettings extends TrainingSettings {
  weights: DtnWeights;
  /** Share of D's target probability spread over its other classes. */
  labelSmoothing: number;
  /** D's learning rate as a share of g's: below 1 where D would win. */
  discriminatorRate: number;
  /** Pixels that the images are moved by at most before D sees them, all kinds alike: for target sets so small that D would learn them by heart. */
  shift: number;
  /**
   * How G(x) is changed before f reads it for L_CONST: moved by up to `shift` pixels, with evenly spread noise up to `noise` (in −1…1). Without, g
   * finds pictures that please f by what nobody sees: f reads the photo's name off them, a judge another.
   */
  unsteady?: { shift: number; noise: number };
  /**
   * How f is made to read the target domain, and so G(x), which it was not taught (mode Frozen), so that the two domains' features come closer: by that domain's
   * `statistics` in its batch norm, or beyond that by its own classifier's `hypothesis`: that each picture shows somebody whom it knows, and all about as often.
   */
  adaptation: 'none' | 'statistics' | 'hypothesis';
  /** Decay of the running average of g that is exported; 0 exports g itself. */
  averageDecay: number;
  /** Weight of f's own loss while it is trained along with the DTN (mode Joint). */
  naming: number;
  /**
   * Scored on images that are always the same, by f: `const` and `tid` (the losses), `distance` (between the pictures' and the target's means and
   * deviations in f's features), `reading` (cross-entropy of the names that f's own classifier reads off photo and picture).
   */
  selection: SelectionSettings;
}

/** The settings of one preset as they are written down below. */
interface BasePreset {
  name: PresetName;
  /** Height and width of an image. */
  imageSize: number;
  initialization: Initialization;
  /** `width` channels after the first convolution, doubled at each of `levels` halvings. */
  f: { width: number; levels: number; featureSize: number; augmentation: Augmentation };
  /**
   * g draws its first, small picture from the features and doubles it that often: by transposed convolutions (`deconv`), or by repeating pixels before a
   * convolution (`resize`), with one more at the full size (`refined`).
   */
  g: { width: number; doublings: number; kernel: number; dropout: number; pointwise: boolean; upsampling: 'deconv' | 'resize' | 'refined' };
  d: { width: number; levels: number; kernel: number; pointwise: boolean };
  classifier: ClassifierSettings;
  dtn: DtnSettings;
  judge: TrainingSettings & { width: number; levels: number; featureSize: number };
}

export type Preset = BasePreset & ImagePreset;

const DCGAN_ADAM = { optimizer: 'Adam', beta1: 0.5 } as const;
const ADAM = { optimizer: 'Adam', beta1: 0.9 } as const;

const UNVALIDATED = { validationShare: 0, selection: { keep: 'last', everySteps: 100, weights: { loss: 1 } } } as const;
const byConstAndTid = (keep: 'last' | 'best', everySteps: number): SelectionSettings => ({ keep, everySteps, weights: { const: 1, tid: 1 } });

/** What helped on faces of any size (docs/models.md: what each brings). */
const FACES = {
  initialization: 'xavier',
  g: { width: 32, doublings: 3, kernel: 4, dropout: 0, pointwise: false, upsampling: 'refined' },
  classifier: { batchSize: 64, learningRate: 2e-3, schedule: 'oneCycle', ...ADAM, ...UNVALIDATED },
  dtn: { batchSize: 16, learningRate: 1e-3, schedule: 'linearDecay', ...DCGAN_ADAM, labelSmoothing: 0.1, discriminatorRate: 0.2, shift: 0, adaptation: 'hypothesis', averageDecay: 0.98, naming: 1 },
  judge: { batchSize: 64, learningRate: 2e-3, schedule: 'oneCycle', ...ADAM, width: 16, featureSize: 64 },
} as const;

const PRESETS: Record<PresetName, BasePreset> = {
  'faces-64': {
    ...FACES,
    name: 'faces-64',
    imageSize: 64,
    f: { width: 32, levels: 4, featureSize: 128, augmentation: 'mirrored' },
    d: { width: 16, levels: 4, kernel: 4, pointwise: false },
    classifier: { ...FACES.classifier, steps: 2_400 },
    dtn: { ...FACES.dtn, steps: 2_400, weights: { gan: 1, const: 10, tid: 100, tv: 6 }, unsteady: { shift: 2, noise: 0.25 }, selection: byConstAndTid('last', 50) },
    judge: { ...FACES.judge, steps: 150, levels: 4 },
  },
  'faces-152': {
    ...FACES,
    name: 'faces-152',
    imageSize: 152,
    f: { width: 32, levels: 5, featureSize: 256, augmentation: 'mirrored' },
    d: { width: 16, levels: 5, kernel: 4, pointwise: false },
    classifier: { ...FACES.classifier, steps: 5_000 },
    dtn: { ...FACES.dtn, steps: 10_000, weights: { gan: 1, const: 6, tid: 100, tv: 6 }, unsteady: { shift: 4, noise: 0.25 }, selection: byConstAndTid('last', 100) },
    judge: { ...FACES.judge, steps: 200, levels: 3 },
  },
  // The report's plain configuration (S3 to S7 of its system).
  'report-152': {
    name: 'report-152',
    imageSize: 152,
    initialization: 'xavier',
    f: { width: 32, levels: 5, featureSize: 256, augmentation: 'none' },
    g: { width: 64, doublings: 3, kernel: 5, dropout: 0.5, pointwise: true, upsampling: 'deconv' },
    d: { width: 64, levels: 4, kernel: 5, pointwise: true },
    classifier: { steps: 5_000, batchSize: 100, learningRate: 0.015, schedule: 'constant', optimizer: 'SGD', beta1: 0, ...UNVALIDATED },
    dtn: { steps: 50_000, batchSize: 100, learningRate: 0.015, schedule: 'constant', optimizer: 'SGD', beta1: 0, weights: { gan: 1, const: 1, tid: 1, tv: 0 }, labelSmoothing: 0, discriminatorRate: 1, shift: 0, adaptation: 'none', averageDecay: 0, naming: 1, selection: byConstAndTid('last', 500) },
    judge: { steps: 2_000, batchSize: 100, learningRate: 1e-3, schedule: 'oneCycle', ...ADAM, width: 32, levels: 3, featureSize: 128 },
  },
  'digits-32': {
    name: 'digits-32',
    imageSize: 32,
    initialization: 'xavier',
    f: { width: 64, levels: 3, featureSize: 128, augmentation: 'upright' },
    g: { width: 32, doublings: 3, kernel: 4, dropout: 0, pointwise: false, upsampling: 'deconv' },
    d: { width: 32, levels: 3, kernel: 4, pointwise: false },
    classifier: { steps: 4_000, batchSize: 128, learningRate: 2e-3, schedule: 'oneCycle', ...ADAM, ...UNVALIDATED },
    dtn: { steps: 2_400, batchSize: 32, learningRate: 1e-3, schedule: 'linearDecay', ...DCGAN_ADAM, weights: { gan: 2, const: 15, tid: 60, tv: 2 }, labelSmoothing: 0.1, discriminatorRate: 0.15, shift: 0, unsteady: { shift: 2, noise: 0.25 }, adaptation: 'hypothesis', averageDecay: 0.99, naming: 1, selection: { keep: 'best', everySteps: 50, weights: { const: 1, tid: 1, distance: 4, reading: 1 } } },
    judge: { steps: 250, batchSize: 64, learningRate: 2e-3, schedule: 'oneCycle', ...ADAM, width: 32, levels: 3, featureSize: 64 },
  },
  // For tests: everything is trained in seconds, and nothing is good.
  'faces-32-test': {
    name: 'faces-32-test',
    imageSize: 32,
    initialization: 'xavier',
    f: { width: 8, levels: 3, featureSize: 32, augmentation: 'mirrored' },
    g: { width: 8, doublings: 3, kernel: 4, dropout: 0, pointwise: false, upsampling: 'deconv' },
    d: { width: 8, levels: 3, kernel: 4, pointwise: false },
    classifier: { steps: 40, batchSize: 16, learningRate: 3e-3, schedule: 'oneCycle', ...ADAM, ...UNVALIDATED },
    dtn: { steps: 40, batchSize: 8, learningRate: 3e-3, schedule: 'linearDecay', ...DCGAN_ADAM, weights: { gan: 1, const: 30, tid: 100, tv: 0 }, labelSmoothing: 0.1, discriminatorRate: 1, shift: 0, adaptation: 'statistics', averageDecay: 0.9, naming: 1, selection: byConstAndTid('last', 10) },
    judge: { steps: 30, batchSize: 16, learningRate: 3e-3, schedule: 'oneCycle', ...ADAM, width: 8, levels: 3, featureSize: 32 },
  },
};

export interface PresetOverrides {
  imageSize?: number | undefined;
  /** Channels in the first layer of f, g (its last), D and the networks from image to image. */
  baseWidth?: number | undefined;
}

/** What a preset's image sizes are multiples of: its networks halve an image as often as that. */
export function sizeMultiple(name: PresetName): number {
  return 2 ** Math.max(PRESETS[name].g.doublings, IMAGE_PRESETS[name].image.levels);
}

/** A preset with a resource's overrides applied. Throws ModelError when the image cannot be halved often enough. */
export function resolvePreset(name: PresetName, { imageSize, baseWidth }: PresetOverrides = {}): Preset {
  const preset = PRESETS[name];
  const size = imageSize ?? preset.imageSize;
  if (size % sizeMultiple(name) !== 0) {
    throw new ModelError(`imageSize ${size} does not suit preset ${name}: choose a multiple of ${sizeMultiple(name)}`);
  }
  const width = <T extends { width: number }>(part: T): T => ({ ...part, width: baseWidth ?? part.width });
  const { image, ...imagePreset } = IMAGE_PRESETS[name];
  return { ...preset, ...imagePreset, imageSize: size, f: width(preset.f), g: width(preset.g), d: width(preset.d), image: width(image) };
}

/** Values of a resource over a preset's, leaving out what the resource does not say. */
export function applySettings<T extends object>(settings: T, given: { [K in keyof T]?: T[K] | undefined }): T {
  const said = Object.entries(given).filter(([key, value]) => value !== undefined && key in settings);
  return { ...settings, ...Object.fromEntries(said) };
}
