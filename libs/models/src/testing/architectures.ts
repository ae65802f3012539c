import path from 'node:path';
import type { Dataset } from '@caricature/tensors';
import { trainClassifier, trainCycleGan, trainDtn, trainJudge, trainPix2Pix, type Preset, type TrainingOutcome, type TrainingOverrides } from '../index.js';
import type { TrainerOptions } from '../trainer/trainer.js';
import { DISC_TRAIT_SIZES, writeDiscs } from './discs.js';

/** Two domains of one preset, and an f that was trained on the first for a step. */
export interface ArchitectureData {
  preset: Preset;
  source: Dataset;
  target: Dataset;
  /** Of an f for the preset, with its classifier. */
  pretrained: string;
}

type Options = Omit<TrainerOptions, 'steps'> & TrainingOverrides & { outputDir: string };

export interface Architecture {
  train(data: ArchitectureData, options: Options): Promise<TrainingOutcome>;
  /** A loss that a model with one batch to learn brings down. */
  loss: string;
  /** The networks that draw, under the output. */
  draws?: string[];
}

/** Every way to train, by name. */
export const ARCHITECTURES: Record<string, Architecture> = {
  Classifier: { loss: 'loss', train: ({ preset, source }, options) => trainClassifier({ ...options, dataset: source, preset, seed: 1 }) },
  judge: { loss: 'loss', train: ({ preset, target }, options) => trainJudge({ ...options, dataset: target, preset, traitSizes: DISC_TRAIT_SIZES, seed: 1 }) },
  DTN: {
    loss: 'tid',
    draws: ['f', 'g'],
    train: ({ preset, source, target, pretrained }, options) => trainDtn({ ...options, source, target, f: path.join(pretrained, 'f'), preset, seed: 1 }),
  },
  'DTN in mode Joint': {
    loss: 'tid',
    draws: ['f', 'g'],
    train: ({ preset, source, target, pretrained }, options) =>
      trainDtn({ ...options, source, target, f: path.join(pretrained, 'f'), head: path.join(pretrained, 'head'), mode: 'Joint', preset, seed: 1 }),
  },
  Pix2Pix: { loss: 'l1', draws: ['G'], train: ({ preset, source, target }, options) => trainPix2Pix({ ...options, source, pairOf: (i) => target.image(i), preset, seed: 1 }) },
  CycleGAN: { loss: 'cycle', draws: ['G'], train: ({ preset, source, target }, options) => trainCycleGan({ ...options, source, target, preset, seed: 1 }) },
};

/** Writes `count` discs of each domain under a folder, and trains an f on them. */
export async function createArchitectureData(folder: string, preset: Preset, count: number, batchSize: number): Promise<ArchitectureData> {
  const size = preset.imageSize;
  const [source, target] = [await writeDiscs(path.join(folder, 'source'), 'source', { count, size }), await writeDiscs(path.join(folder, 'target'), 'target', { count, size })];
  const pretrained = path.join(folder, 'pretrained');
  await trainClassifier({ dataset: source, preset, steps: 1, batchSize, seed: 1, outputDir: pretrained });
  return { preset, source, target, pretrained };
}
