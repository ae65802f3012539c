import type { PresetName, SelectionSettings, TrainingSettings } from './settings.js';

/** Sizes of the networks that turn an image into an image. */
export interface ImageNetworkSizes {
  /** Channels after the first convolution of the U-Net and of the residual generator. */
  width: number;
  /** Halvings of the U-Net, and as many doublings. */
  levels: number;
  /** Residual blocks of CycleGAN's generators. */
  blocks: number;
  /** In the U-Net's innermost doublings. */
  dropout: number;
  /** Channels after the patch discriminator's first convolution. */
  patchWidth: number;
}

export interface Pix2PixSettings extends TrainingSettings {
  /** λ = l1. */
  weights: { gan: number; l1: number };
  averageDecay: number;
  /** Scored by `l1` on pairs that are set aside for it. */
  selection: SelectionSettings;
}

export interface CycleGanSettings extends TrainingSettings {
  weights: { gan: number; cycle: number; identity: number };
  averageDecay: number;
  /** Earlier pictures of each kind that the discriminators are shown again. */
  poolSize: number;
  /** Scored by `cycle` and `identity` on images that are always the same. */
  selection: SelectionSettings;
}

export interface ImagePreset {
  image: ImageNetworkSizes;
  pix2pix: Pix2PixSettings;
  cyclegan: CycleGanSettings;
}

const DCGAN_ADAM = { optimizer: 'Adam', beta1: 0.5, schedule: 'linearDecay' } as const;
const PIX2PIX_WEIGHTS = { gan: 1, l1: 100 };
const CYCLEGAN_WEIGHTS = { gan: 1, cycle: 10, identity: 5 };

const byL1 = (everySteps: number): SelectionSettings => ({ keep: 'last', everySteps, weights: { l1: 1 } });
const byCycle = (everySteps: number): SelectionSettings => ({ keep: 'last', everySteps, weights: { cycle: 2, identity: 1 } });

const AT_152: ImagePreset = {
  image: { width: 64, levels: 3, blocks: 6, dropout: 0.5, patchWidth: 64 },
  pix2pix: { steps: 50_000, batchSize: 16, learningRate: 2e-4, ...DCGAN_ADAM, weights: PIX2PIX_WEIGHTS, averageDecay: 0.999, selection: byL1(1_000) },
  cyclegan: { steps: 50_000, batchSize: 4, learningRate: 2e-4, ...DCGAN_ADAM, weights: CYCLEGAN_WEIGHTS, averageDecay: 0.999, poolSize: 50, selection: byCycle(1_000) },
};

/** What each preset adds for Pix2Pix and CycleGAN. Their learning rate and weights are the papers'; the sizes are what the preset's time allows. */
export const IMAGE_PRESETS: Record<PresetName, ImagePreset> = {
  'faces-64': {
    image: { width: 32, levels: 4, blocks: 4, dropout: 0.5, patchWidth: 32 },
    pix2pix: { steps: 1_000, batchSize: 16, learningRate: 5e-4, ...DCGAN_ADAM, weights: PIX2PIX_WEIGHTS, averageDecay: 0.98, selection: byL1(100) },
    cyclegan: { steps: 400, batchSize: 4, learningRate: 5e-4, ...DCGAN_ADAM, weights: CYCLEGAN_WEIGHTS, averageDecay: 0.98, poolSize: 50, selection: byCycle(100) },
  },
  'faces-152': AT_152,
  'report-152': AT_152,
  'digits-32': {
    image: { width: 32, levels: 3, blocks: 3, dropout: 0, patchWidth: 32 },
    pix2pix: { steps: 2_000, batchSize: 32, learningRate: 5e-4, ...DCGAN_ADAM, weights: PIX2PIX_WEIGHTS, averageDecay: 0.99, selection: byL1(100) },
    cyclegan: { steps: 1_000, batchSize: 16, learningRate: 5e-4, ...DCGAN_ADAM, weights: CYCLEGAN_WEIGHTS, averageDecay: 0.99, poolSize: 50, selection: byCycle(100) },
  },
  'faces-32-test': {
    image: { width: 8, levels: 3, blocks: 1, dropout: 0.5, patchWidth: 8 },
    pix2pix: { steps: 40, batchSize: 8, learningRate: 3e-3, ...DCGAN_ADAM, weights: PIX2PIX_WEIGHTS, averageDecay: 0.9, selection: byL1(10) },
    cyclegan: { steps: 20, batchSize: 4, learningRate: 3e-3, ...DCGAN_ADAM, weights: CYCLEGAN_WEIGHTS, averageDecay: 0.9, poolSize: 8, selection: byCycle(10) },
  },
};
