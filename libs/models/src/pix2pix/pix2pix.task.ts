import { BatchSampler, type Dataset } from '@caricature/tensors';
import { tf, type Tensor, type Tensor1D, type Tensor4D } from '../backend/tensorflow.js';
import { type RunParts, savedNetworks, savedSamplers } from '../checkpoint/stateful.js';
import { CompiledStep } from '../compiled/compiled-step.js';
import { toTensor } from '../images.js';
import { dropoutSeedOf } from '../layers/dropout.js';
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

type Pairs = {
  /** [B, H, W, C]. */
  photos: Tensor4D;
  avatars: Tensor4D;
};

/** What a step is given, anew each time. */
type Pix2PixInputs = Pairs & {
  ratesOfG: Tensor1D;
  ratesOfD: Tensor1D;
  sharesOfAverage: Tensor1D;
  dropoutSeed: Tensor;
};

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
      const numbers = {
        ratesOfG: this.gOptimizer.begin(rate),
        ratesOfD: this.dOptimizer.begin(rate),
        sharesOfAverage: this.average.sharesAt(step),
        dropoutSeed: dropoutSeedOf(this.options.seed, step),
      };
      return Object.assign(readScalars(this.update.run({ ...pairs, ...numbers })), this.best.consider(step + 1, () => this.score()));
    });
  }

  /** Frees the optimizers' slots and the average; the networks are the caller's. */
  dispose(): void {
    this.update.dispose();
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

  private readonly update = new CompiledStep((inputs: Pix2PixInputs) => {
    const { pictures, ...metrics } = this.updateGenerator(inputs);
    Object.assign(metrics, this.updateDiscriminator(inputs, pictures!));
    pictures!.dispose();
    this.average.follow(inputs.sharesOfAverage);
    return metrics;
  });

  private updateGenerator({ photos, avatars, dropoutSeed, ratesOfG }: Pix2PixInputs): Record<string, Tensor> {
    const { generator, discriminator, settings } = this.options;
    const kept: Record<string, Tensor> = {};
    const loss = this.gOptimizer.minimize(() => {
      const pictures = generator.apply(photos, { training: true, dropoutSeed });
      const gan = realLoss(discriminator.apply(tf.concat([photos, pictures], -1), { training: true }));
      const l1 = absoluteError(avatars, pictures);
      for (const [name, tensor] of Object.entries({ gan, l1, pictures })) kept[name] = tf.keep(tensor.clone());
      return gan.mul(settings.weights.gan).add(l1.mul(settings.weights.l1));
    }, ratesOfG);
    return { g: loss, ...kept };
  }

  /** D's loss is halved, which slows D down against G, as in the paper. */
  private updateDiscriminator({ photos, avatars, ratesOfD }: Pix2PixInputs, pictures: Tensor): Record<string, Tensor> {
    const { discriminator } = this.options;
    const [real, drawn] = [tf.concat([photos, avatars], -1), tf.concat([photos, pictures], -1)];
    const kept: Record<string, Tensor> = {};
    const loss = this.dOptimizer.minimize(() => {
      const [onReal, onDrawn] = [discriminator.apply(real, { training: true }), discriminator.apply(drawn, { training: true })];
      kept['accuracy/target'] = tf.keep(onReal.greater(0).toFloat().mean());
      kept['accuracy/transferred'] = tf.keep(onDrawn.less(0).toFloat().mean());
      return realLoss(onReal).add(fakeLoss(onDrawn)).div(2);
    }, ratesOfD);
    return { d: loss, ...kept };
  }

  private score(): Record<string, number> {
    const { validation, training } = this.options;
    const { photos, avatars } = this.pairs(validation.length > 0 ? validation : training.subarray(0, 64));
    return { l1: absoluteError(avatars, this.average.networks.G.apply(photos)).dataSync()[0]! };
  }
}
