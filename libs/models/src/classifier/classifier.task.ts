import { BatchSampler, type BatchSamplerState, type Dataset, Random } from '@caricature/tensors';
import { tf, type Tensor, type Tensor2D, type Variable } from '../backend/tensorflow.js';
import { type Checkpoint, tensorsUnder, withPrefix } from '../checkpoint/checkpoint.js';
import { toTensor } from '../images.js';
import { Network } from '../layers/network.js';
import { crossEntropy } from '../losses/dtn.losses.js';
import { Optimizer } from '../optimizer/optimizer.js';
import { scheduledRate } from '../optimizer/schedule.js';
import type { TrainingSettings } from '../presets.js';
import type { TrainingTask } from '../trainer/trainer.js';
import { augment } from './augmentation.js';

export interface ClassifierTaskOptions {
  dataset: Dataset;
  extractor: Network;
  head: Network;
  settings: TrainingSettings;
  augmentation: boolean;
  seed: number;
  /**
   * Sizes of the groups that the logits fall into, each with a softmax of its own, and the image's class in each (−1: unknown,
   * left out of the loss).
   */
  groups: { sizes: number[]; classesOf: (image: number) => ArrayLike<number> };
  config: unknown;
}

/** Trains a feature extractor and a linear head together by cross-entropy: f on names (one group), the judge on traits. */
export class ClassifierTask implements TrainingTask {
  readonly config: unknown;
  private readonly sampler: BatchSampler;
  private readonly optimizer: Optimizer;

  constructor(private readonly options: ClassifierTaskOptions) {
    const { dataset, settings, seed, extractor, head } = options;
    this.config = options.config;
    this.sampler = new BatchSampler(dataset.count, settings.batchSize, seed);
    const trainable = new Map<string, Variable>([...prefixed('extractor', extractor.trainable), ...prefixed('head', head.trainable)]);
    this.optimizer = new Optimizer({ name: settings.optimizer, beta1: settings.beta1 }, trainable);
  }

  trainStep(step: number): Record<string, number> {
    const { settings, extractor, head, groups } = this.options;
    const rate = scheduledRate(settings.schedule, settings.learningRate, step, settings.steps);
    return tf.tidy(() => {
      const { images, classes } = this.nextBatch(step);
      const targets = groups.sizes.map((size, g) => oneHot(classes.map((row) => row[g] ?? -1), size));
      let logits: Tensor | undefined;
      const loss = this.optimizer.minimize(() => {
        const output = head.apply(extractor.apply(images, { training: true }), { training: true });
        logits = tf.keep(output.clone());
        const terms = splitGroups(output, groups.sizes).map((part, g) => crossEntropy(part, targets[g]!));
        return tf.addN(terms).div(terms.length);
      }, rate);
      const accuracy = agreement(logits!, groups.sizes, classes);
      logits!.dispose();
      return { loss: loss.dataSync()[0]!, accuracy };
    });
  }

  snapshot(): Pick<Checkpoint, 'tensors' | 'state'> {
    const { tensors, updates } = this.optimizer.snapshot();
    const { extractor, head } = this.options;
    return {
      tensors: new Map([...withPrefix('extractor', extractor.snapshot()), ...withPrefix('head', head.snapshot()), ...withPrefix('optimizer', tensors)]),
      state: { sampler: this.sampler.state, updates },
    };
  }

  restore({ tensors, state }: Checkpoint): void {
    this.options.extractor.restore(tensorsUnder(tensors, 'extractor'));
    this.options.head.restore(tensorsUnder(tensors, 'head'));
    this.optimizer.restore(tensorsUnder(tensors, 'optimizer'), state.updates as number);
    this.sampler.state = state.sampler as BatchSamplerState;
  }

  /** Frees the optimizer's slots; the networks are the caller's. */
  dispose(): void {
    this.optimizer.dispose();
  }

  private nextBatch(step: number): { images: Tensor; classes: number[][] } {
    const { dataset, augmentation, seed, groups } = this.options;
    const indices = this.sampler.next();
    const { images } = dataset.batch(indices);
    if (augmentation) augment(images, dataset.shape, new Random(seed, step, 1));
    return { images: toTensor(images, dataset.shape), classes: [...indices].map((i) => Array.from(groups.classesOf(i))) };
  }
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

/** [B, size]; a row of zeros for an unknown class (−1) takes no part in the loss. */
function oneHot(classes: number[], size: number): Tensor2D {
  const values = new Float32Array(classes.length * size);
  classes.forEach((c, b) => {
    if (c >= 0) values[b * size + c] = 1;
  });
  return tf.tensor2d(values, [classes.length, size]);
}

function prefixed(prefix: string, variables: Map<string, Variable>): [string, Variable][] {
  return [...variables].map(([name, variable]) => [`${prefix}/${name}`, variable]);
}
