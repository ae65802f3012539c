import { setImmediate } from 'node:timers/promises';
import { BatchSampler, type Dataset } from '@caricature/tensors';
import { tf, type Tensor, type Tensor1D, type Tensor2D } from '../backend/tensorflow.js';
import type { Augmentation } from '../batches/augmentation.js';
import { PreparedImages } from '../batches/prepared-images.js';
import { CompiledStep } from '../compiled/compiled-step.js';
import { uniform } from '../layers/dropout.js';
import type { Network } from '../layers/network.js';
import { Optimizer } from '../optimizer/optimizer.js';
import { scheduledRate } from '../optimizer/schedule.js';
import { adaptStatistics } from './adapted-statistics.js';

const STEPS = 300;
/** A batch must show all names about as often for its mean to say anything of them: 64 misled it (digits: 0.973 to 0.989 of the target read right, by the seed; 128: 0.991). */
const BATCH = 128;
const TURN = 5;
const LEARNING_RATE = 5e-4;

export interface AdaptOptions {
  augmentation: Augmentation;
  /** Evenly spread, up to so much (in −1…1), on the images that it is trained on: what draws for it shall not please it by noise. */
  noise: number;
  /** Aborted means: come back soon, with whatever it is by then. */
  signal?: AbortSignal | undefined;
  onStep?: ((step: number, totalSteps: number) => void) | undefined;
}

/**
 * A copy of f that reads another domain's images as f's classifier expects them, though not one label of them is known: the classifier stays, and f
 * is trained until each image is read as something certain while all names come up alike often (Liang, Hu, Feng: Do We Really Need to Access the Source
 * Data? Source Hypothesis Transfer for Unsupervised Domain Adaptation, ICML 2020; its information maximization). An avatar is
 * nobody in particular, and yet reads better as whoever it resembles most.
 * @param head f's classifier, features → logits; it is not changed
 */
export async function adaptHypothesis(network: Network, head: Network, dataset: Dataset, { augmentation, noise, signal, onStep }: AdaptOptions, seed: number): Promise<Network> {
  const adapted = adaptStatistics(network, dataset, seed);
  const sampler = new BatchSampler(dataset.count, Math.min(BATCH, dataset.count), seed);
  const images = new PreparedImages(dataset, { augmentation, seed });
  const optimizer = new Optimizer({ name: 'Adam', beta1: 0.9 }, adapted.trainable);
  const update = new CompiledStep(({ x, rates }: { x: Tensor; rates: Tensor1D }) => ({ loss: optimizer.minimize(() => uncertainty(head.apply(adapted.apply(x, { training: true }))), rates) }));
  for (let step = 0; step < STEPS && !signal?.aborted; step++) {
    if (step % TURN === 0) {
      onStep?.(step, STEPS);
      // Signals and reports get their turn.
      await setImmediate();
    }
    tf.tidy(() => {
      const { images: clean } = images.next(sampler, step);
      const x = noise > 0 ? clean.add(uniform(clean.shape, [seed, step]).sub(0.5).mul(2 * noise)) : clean;
      update.run({ x, rates: optimizer.begin(scheduledRate('oneCycle', LEARNING_RATE, step, STEPS)) });
    });
  }
  update.dispose();
  optimizer.dispose();
  images.dispose();
  return adapted;
}

/** How uncertain the names of single images are, less how uncertain that of any image is: least when each is certain and all differ. @param logits [B, names] */
function uncertainty(logits: Tensor): Tensor {
  const names = tf.softmax(logits as Tensor2D);
  return entropyOf(names).sub(entropyOf(names.mean(0, true) as Tensor2D));
}

/** Mean entropy of distributions, in nats. @param distributions [B, K] */
function entropyOf(distributions: Tensor2D): Tensor {
  return distributions.mul(distributions.add(1e-8).log()).sum(-1).mean().neg();
}
