import { BatchSampler, type Dataset } from '@caricature/tensors';
import { tf, type Tensor, type Tensor4D } from '../backend/tensorflow.js';
import { type RunParts, savedNetworks, savedSamplers } from '../checkpoint/stateful.js';
import { toTensor } from '../images.js';
import type { Network } from '../layers/network.js';
import { absoluteError, fakeLoss, realLoss } from '../losses/adversarial.losses.js';
import { Optimizer } from '../optimizer/optimizer.js';
import { scheduledRate } from '../optimizer/schedule.js';
import type { Pix2PixSettings } from '../presets.image.js';
import { BestWeights } from '../trainer/best-weights.js';
import { RunningAverage } from '../trainer/running-average.js';
import { readScalars, type StepMetrics, type TrainingTask } from '../trainer/trainer.js';

/** A photo's other half: uint8 [H, W, C]. */
export type PairOf = (image: number) => Uint8Array;

export interface Pix2PixTaskOptions {
  source: Dataset;
  pairOf: PairOf;
  /** Images that are trained on, and those that are only scored. */
  training: Int32Array;
  validation: Int32Array;
  generator: Network;
  discriminator: Network;
  settings: Pix2PixSettings;
  seed: number;
  config: unknown;
}

interface Pairs {
  /** [B, H, W, C]. */
  photos: Tensor4D;
  avatars: Tensor4D;
}

/**
 * Pix2Pix (Isola et al., CVPR 2017): arg min_G max_D L_cGAN(G, D) + λ L_L1(G). D sees photo and picture together. A step draws G's pictures once, updates
 * G by them, then D by the same pictures.
 */
export class Pix2PixTask implements TrainingTask {
  readonly config: unknown;
  readonly best: BestWeights;
  readonly average: RunningAverage<'G'>;
  private readonly sampler: BatchSampler;
  private readonly gOptimizer: Optimizer;
  private readonly dOptimizer: Optimizer;
  readonly parts: RunParts;

  constructor(private readonly options: Pix2PixTaskOptions) {
    const { settings, seed, generator, discriminator, training } = options;
    this.config = options.config;
    this.sampler = new BatchSampler(training.length, settings.batchSize, seed);
    this.gOptimizer = new Optimizer({ name: settings.optimizer, beta1: settings.beta1 }, generator.trainable);
    this.dOptimizer = new Optimizer({ name: settings.optimizer, beta1: settings.beta1 }, discriminator.trainable);
    this.average = new RunningAverage({ G: generator }, settings.averageDecay);
    this.best = new BestWeights(this.average.networks, settings.selection);
    this.parts = {
      ...savedNetworks({ G: generator, D: discriminator }),
      ...this.average.parts,
      ...savedSamplers({ sampler: this.sampler }),
      'G-optimizer': this.gOptimizer,
      'D-optimizer': this.dOptimizer,
      best: this.best,
    };
  }

  trainStep(step: number, rateScale = 1): StepMetrics {
    const { settings, training } = this.options;
    const rate = scheduledRate(settings.schedule, settings.learningRate * rateScale, step, settings.steps);
    return tf.tidy(() => {
      const pairs = this.pairs(Int32Array.from(this.sampler.next(), (i) => training[i]!));
      const { metrics, pictures } = this.updateGenerator(pairs, step, rate);
      Object.assign(metrics, this.updateDiscriminator(pairs, pictures, rate));
      pictures.dispose();
      this.average.follow(step);
      return Object.assign(metrics, this.best.consider(step + 1, () => this.score()));
    });
  }

  /** Frees the optimizers' slots and the average; the networks are the caller's. */
  dispose(): void {
    this.gOptimizer.dispose();
    this.dOptimizer.dispose();
    this.average.dispose();
  }

  private pairs(indices: Int32Array): Pairs {
    const { source, pairOf } = this.options;
    const { images } = source.batch(indices);
    const avatars = new Uint8Array(images.length);
    indices.forEach((index, k) => avatars.set(pairOf(index), (k * images.length) / indices.length));
    return { photos: toTensor(images, source.shape), avatars: toTensor(avatars, source.shape) };
  }

  private updateGenerator({ photos, avatars }: Pairs, step: number, rate: number): { metrics: StepMetrics; pictures: Tensor } {
    const { generator, discriminator, settings, seed } = this.options;
    const kept: Record<string, Tensor> = {};
    const loss = this.gOptimizer.minimize(() => {
      const pictures = generator.apply(photos, { training: true, dropoutSeed: seed * 65_537 + step });
      const gan = realLoss(discriminator.apply(tf.concat([photos, pictures], -1), { training: true }));
      const l1 = absoluteError(avatars, pictures);
      for (const [name, tensor] of Object.entries({ gan, l1, pictures })) kept[name] = tf.keep(tensor.clone());
      return gan.mul(settings.weights.gan).add(l1.mul(settings.weights.l1));
    }, rate);
    const { pictures, ...terms } = kept;
    return { metrics: readScalars({ g: loss, ...terms }), pictures: pictures! };
  }

  /** D's loss is halved, which slows D down against G, as in the paper. */
  private updateDiscriminator({ photos, avatars }: Pairs, pictures: Tensor, rate: number): StepMetrics {
    const { discriminator } = this.options;
    const [real, drawn] = [tf.concat([photos, avatars], -1), tf.concat([photos, pictures], -1)];
    const kept: Record<string, Tensor> = {};
    const loss = this.dOptimizer.minimize(() => {
      const [onReal, onDrawn] = [discriminator.apply(real, { training: true }), discriminator.apply(drawn, { training: true })];
      kept['accuracy/target'] = tf.keep(onReal.greater(0).mean());
      kept['accuracy/transferred'] = tf.keep(onDrawn.less(0).mean());
      return realLoss(onReal).add(fakeLoss(onDrawn)).div(2);
    }, rate);
    return readScalars({ d: loss, ...kept });
  }

  private score(): Record<string, number> {
    const { validation, training } = this.options;
    const { photos, avatars } = this.pairs(validation.length > 0 ? validation : training.subarray(0, 64));
    return { l1: absoluteError(avatars, this.average.networks.G.apply(photos)).dataSync()[0]! };
  }
}
