import type { Initialization } from './layers/description.js';
import type { OptimizerName } from './optimizer/optimizer.js';
import type { Schedule } from './optimizer/schedule.js';
import { ModelError } from './models.error.js';

export type PresetName = 'faces-152' | 'faces-64' | 'faces-32-test' | 'digits-32';

export interface TrainingSettings {
  steps: number;
  batchSize: number;
  learningRate: number;
  optimizer: OptimizerName;
  beta1: number;
  schedule: Schedule;
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
  /** Decay of the running average of g that is exported; 0 exports g itself. */
  averageDecay: number;
}

export interface Preset {
  name: PresetName;
  /** Height and width of an image. */
  imageSize: number;
  initialization: Initialization;
  /** `width` channels after the first convolution, doubled at each of `levels` halvings. */
  f: { width: number; levels: number; featureSize: number; augmentation: boolean };
  g: { width: number; levels: number; kernel: number; dropout: number; pointwise: boolean; upsampling: 'deconv' | 'resize' };
  d: { width: number; levels: number; kernel: number; pointwise: boolean };
  classifier: TrainingSettings;
  dtn: DtnSettings;
  judge: TrainingSettings & { width: number; featureSize: number };
}

const DCGAN_ADAM = { optimizer: 'Adam', beta1: 0.5 } as const;
const ADAM = { optimizer: 'Adam', beta1: 0.9 } as const;

const PRESETS: Record<PresetName, Preset> = {
  'faces-64': {
    name: 'faces-64',
    imageSize: 64,
    initialization: 'xavier',
    f: { width: 32, levels: 4, featureSize: 128, augmentation: true },
    g: { width: 32, levels: 4, kernel: 4, dropout: 0, pointwise: false, upsampling: 'deconv' },
    d: { width: 16, levels: 4, kernel: 4, pointwise: false },
    classifier: { steps: 400, batchSize: 64, learningRate: 2e-3, schedule: 'oneCycle', ...ADAM },
    dtn: { steps: 700, batchSize: 16, learningRate: 1e-3, schedule: 'linearDecay', ...DCGAN_ADAM, weights: { gan: 1, const: 4, tid: 100, tv: 6 }, labelSmoothing: 0.1, averageDecay: 0.98 },
    judge: { steps: 150, batchSize: 64, learningRate: 2e-3, schedule: 'oneCycle', ...ADAM, width: 16, featureSize: 64 },
  },
  // The report's plain configuration (S3 to S7 of its system).
  'faces-152': {
    name: 'faces-152',
    imageSize: 152,
    initialization: 'xavier',
    f: { width: 32, levels: 5, featureSize: 256, augmentation: false },
    g: { width: 64, levels: 3, kernel: 5, dropout: 0.5, pointwise: true, upsampling: 'deconv' },
    d: { width: 64, levels: 4, kernel: 5, pointwise: true },
    classifier: { steps: 5_000, batchSize: 100, learningRate: 0.015, schedule: 'constant', optimizer: 'SGD', beta1: 0 },
    dtn: { steps: 50_000, batchSize: 100, learningRate: 0.015, schedule: 'constant', optimizer: 'SGD', beta1: 0, weights: { gan: 1, const: 1, tid: 1, tv: 0 }, labelSmoothing: 0, averageDecay: 0 },
    judge: { steps: 2_000, batchSize: 100, learningRate: 1e-3, schedule: 'oneCycle', ...ADAM, width: 32, featureSize: 128 },
  },
  'digits-32': {
    name: 'digits-32',
    imageSize: 32,
    initialization: 'normal',
    f: { width: 64, levels: 3, featureSize: 128, augmentation: false },
    g: { width: 32, levels: 3, kernel: 4, dropout: 0, pointwise: false, upsampling: 'deconv' },
    d: { width: 32, levels: 3, kernel: 4, pointwise: false },
    classifier: { steps: 2_000, batchSize: 128, learningRate: 2e-3, schedule: 'oneCycle', ...ADAM },
    dtn: { steps: 2_000, batchSize: 32, learningRate: 3e-4, schedule: 'linearDecay', ...DCGAN_ADAM, weights: { gan: 1, const: 15, tid: 15, tv: 0 }, labelSmoothing: 0.1, averageDecay: 0.99 },
    judge: { steps: 600, batchSize: 128, learningRate: 2e-3, schedule: 'oneCycle', ...ADAM, width: 32, featureSize: 64 },
  },
  // For tests: everything is trained in seconds, and nothing is good.
  'faces-32-test': {
    name: 'faces-32-test',
    imageSize: 32,
    initialization: 'xavier',
    f: { width: 8, levels: 3, featureSize: 32, augmentation: true },
    g: { width: 8, levels: 3, kernel: 4, dropout: 0, pointwise: false, upsampling: 'deconv' },
    d: { width: 8, levels: 3, kernel: 4, pointwise: false },
    classifier: { steps: 40, batchSize: 16, learningRate: 3e-3, schedule: 'oneCycle', ...ADAM },
    dtn: { steps: 40, batchSize: 8, learningRate: 3e-3, schedule: 'linearDecay', ...DCGAN_ADAM, weights: { gan: 1, const: 30, tid: 100, tv: 0 }, labelSmoothing: 0.1, averageDecay: 0.9 },
    judge: { steps: 30, batchSize: 16, learningRate: 3e-3, schedule: 'oneCycle', ...ADAM, width: 8, featureSize: 32 },
  },
};

export interface PresetOverrides {
  imageSize?: number | undefined;
  /** Channels in the first layer of f, g (its last) and D. */
  baseWidth?: number | undefined;
}

/** A preset with a resource's overrides applied. Throws ModelError when the image cannot be halved often enough. */
export function resolvePreset(name: PresetName, { imageSize, baseWidth }: PresetOverrides = {}): Preset {
  const preset = PRESETS[name];
  const size = imageSize ?? preset.imageSize;
  if (size % 2 ** preset.g.levels !== 0) {
    throw new ModelError(`imageSize ${size} does not suit preset ${name}: choose a multiple of ${2 ** preset.g.levels}`);
  }
  const width = <T extends { width: number }>(part: T): T => ({ ...part, width: baseWidth ?? part.width });
  return { ...preset, imageSize: size, f: width(preset.f), g: width(preset.g), d: width(preset.d) };
}

/** Values of a resource over a preset's, leaving out what the resource does not say. */
export function applySettings<T extends object>(settings: T, given: { [K in keyof T]?: T[K] | undefined }): T {
  const said = Object.entries(given).filter(([key, value]) => value !== undefined && key in settings);
  return { ...settings, ...Object.fromEntries(said) };
}
