import { BatchSampler, type Dataset, Random } from '@caricature/tensors';
import { tf, type Tensor, type Tensor1D } from '../backend/tensorflow.js';
import type { Augmentation } from '../batches/augmentation.js';
import { PreparedImages } from '../batches/prepared-images.js';
import { type RunParts, savedNetworks, savedSamplers } from '../checkpoint/stateful.js';
import { CompiledStep } from '../compiled/compiled-step.js';
import { oneHot, toTensor } from '../images.js';
import { type Network, trainableOf } from '../layers/network.js';
import { crossEntropy } from '../losses/dtn.losses.js';
import { Optimizer } from '../optimizer/optimizer.js';
import { scheduledRate } from '../optimizer/schedule.js';
import type { SelectionSettings, TrainingSettings } from '../settings.js';
import { BestWeights } from '../trainer/best-weights.js';
import type { StepMetrics, TrainingTask } from '../trainer/trainer.js';

export interface ClassifierTaskOptions {
  dataset: Dataset;
  extractor: Network;
  head: Network;
  settings: TrainingSettings;
  augmentation: Augmentation;
  seed: number;
  /**
   * Sizes of the groups that the logits fall into, each with a softmax of its own, and the image's class in each (−1: unknown,
   * left out of the loss).
   */
  groups: { sizes: number[]; classesOf: (image: number) => ArrayLike<number> };
  /** Images that are not trained on, and how often the loss on them is looked at. */
  validation?: { share: number; selection: SelectionSettings };
  config: unknown;
}

const NEVER: SelectionSettings = { keep: 'last', everySteps: Infinity, weights: {} };
const CHUNK = 128;

/** Trains a feature extractor and a linear head together by cross-entropy: f on names (one group), the judge on traits. */
export class ClassifierTask implements TrainingTask {
  readonly config: unknown;
  /** Guessing costs the logarithm of the number of classes: a few units. Batch norm keeps the loss of a rate far too high from growing without bound. */
  readonly lossLimit = 100;
  readonly best: BestWeights;
  /** Places in the data set. */
  private readonly training: Int32Array;
  private readonly validation: Int32Array;
  private readonly sampler: BatchSampler;
  private readonly images: PreparedImages;
  private readonly optimizer: Optimizer;
  readonly parts: RunParts;

  constructor(private readonly options: ClassifierTaskOptions) {
    const { dataset, settings, seed, extractor, head, validation } = options;
    this.config = options.config;
    ({ training: this.training, validation: this.validation } = setAside(dataset.count, validation?.share ?? 0, settings.batchSize, seed));
    this.sampler = new BatchSampler(this.training.length, settings.batchSize, seed);
    this.images = new PreparedImages(dataset, { augmentation: options.augmentation, seed });
    this.optimizer = new Optimizer({ name: settings.optimizer, beta1: settings.beta1 }, trainableOf({ extractor, head }));
    this.best = new BestWeights({ f: extractor, head }, this.validation.length > 0 ? validation!.selection : NEVER);
    this.parts = { ...savedNetworks({ extractor, head }), ...savedSamplers({ sampler: this.sampler }), optimizer: this.optimizer, best: this.best };
  }

  trainStep(step: number, rateScale = 1): StepMetrics {
    const { settings } = this.options;
    const rate = scheduledRate(settings.schedule, settings.learningRate * rateScale, step, settings.steps);
    return tf.tidy(() => {
      const { images, classes } = this.nextBatch(step);
      const { loss, logits } = this.update.run({ images, targets: this.targets(classes), rates: this.optimizer.begin(rate) });
      const accuracy = agreement(logits, this.options.groups.sizes, classes);
      return { loss: loss.dataSync()[0]!, accuracy, ...this.best.consider(step + 1, () => ({ loss: this.validationLoss() })) };
    });
  }

  private readonly update = new CompiledStep(({ images, targets, rates }: { images: Tensor; targets: Tensor[]; rates: Tensor1D }) => {
    const { extractor, head, groups } = this.options;
    let logits: Tensor | undefined;
    const loss = this.optimizer.minimize(() => {
      const output = head.apply(extractor.apply(images, { training: true }), { training: true });
      logits = tf.keep(output.clone());
      return groupLoss(output, groups.sizes, targets);
    }, rates);
    return { loss, logits: logits! };
  });

  /** Frees the optimizer's slots, and ends the thread that prepares images; the networks are the caller's. */
  dispose(): void {
    this.images.dispose();
    this.update.dispose();
    this.optimizer.dispose();
  }

  private nextBatch(step: number): { images: Tensor; classes: number[][] } {
    const { indices, images } = this.images.next(this.sampler, step, this.training);
    return { images, classes: this.classesOf(indices) };
  }

  private classesOf(indices: ArrayLike<number>): number[][] {
    return Array.from(indices, (i) => Array.from(this.options.groups.classesOf(i)));
  }

  /** One-hot rows of each group. */
  private targets(classes: number[][]): Tensor[] {
    return this.options.groups.sizes.map((size, g) => oneHot(classes.map((row) => row[g] ?? -1), size));
  }

  /** The mean loss on the images set aside, by the running statistics and with nothing changed at random. */
  private validationLoss(): number {
    const { dataset, extractor, head, groups } = this.options;
    let sum = 0;
    for (let start = 0; start < this.validation.length; start += CHUNK) {
      const indices = this.validation.subarray(start, start + CHUNK);
      sum += tf.tidy(() => {
        const logits = head.apply(extractor.apply(toTensor(dataset.batch(indices).images, dataset.shape)));
        return groupLoss(logits, groups.sizes, this.targets(this.classesOf(indices))).dataSync()[0]! * indices.length;
      });
    }
    return sum / this.validation.length;
  }
}

/** Splits a data set by the seed; at least one batch is left to train on. */
export function setAside(count: number, share: number, batchSize: number, seed: number): { training: Int32Array; validation: Int32Array } {
  const order = new Random(seed, 31).permutation(count);
  const aside = Math.max(0, Math.min(Math.round(count * share), count - batchSize));
  return { validation: order.slice(0, aside).sort(), training: order.slice(aside).sort() };
}

/** Mean over the groups of their cross-entropies. @param logits [B, sum of sizes] */
function groupLoss(logits: Tensor, sizes: number[], targets: Tensor[]): Tensor {
  const terms = splitGroups(logits, sizes).map((part, g) => crossEntropy(part, targets[g]!));
  return tf.addN(terms).div(terms.length);
}

/** The logits of each group. @param logits [B, sum of sizes] */
export function splitGroups(logits: Tensor, sizes: number[]): Tensor[] {
  return sizes.length === 1 ? [logits] : tf.split(logits, sizes, 1);
}

/** The most likely class of each image in each group. */
export function readGroups(logits: Tensor, sizes: number[]): number[][] {
  const values = logits.dataSync();
  const width = sizes.reduce((a, b) => a + b, 0);
  return Array.from({ length: values.length / width }, (_, row) => {
    let start = row * width;
    return sizes.map((size) => {
      const part = values.subarray(start, start + size);
      start += size;
      return part.indexOf(Math.max(...part));
    });
  });
}

function agreement(logits: Tensor, sizes: number[], classes: number[][]): number {
  let right = 0;
  let known = 0;
  readGroups(logits, sizes).forEach((row, b) => {
    row.forEach((read, g) => {
      const truth = classes[b]![g] ?? -1;
      if (truth < 0) return;
      known += 1;
      if (read === truth) right += 1;
    });
  });
  return known === 0 ? 0 : right / known;
}
