import { BatchSampler, type Dataset, Random } from '@caricature/tensors';
import { tf, type Tensor, type Tensor1D, type Tensor4D } from '../backend/tensorflow.js';
import { type RunParts, savedNetworks, savedSamplers } from '../checkpoint/stateful.js';
import { CompiledStep } from '../compiled/compiled-step.js';
import { toTensor } from '../images.js';
import { type Network, trainableOf } from '../layers/network.js';
import { absoluteError, leastSquaresLoss } from '../losses/adversarial.losses.js';
import { Optimizer } from '../optimizer/optimizer.js';
import { scheduledRate } from '../optimizer/schedule.js';
import type { CycleGanSettings } from '../presets.image.js';
import { BestWeights } from '../trainer/best-weights.js';
import { RunningAverage } from '../trainer/running-average.js';
import { readScalars, type StepMetrics, type TrainingTask } from '../trainer/trainer.js';
import { ImagePool } from './image-pool.js';

/** G: photo → avatar, F: avatar → photo, and the discriminators of avatars and of photos. */
export interface CycleGanNetworks {
  G: Network;
  F: Network;
  'D-avatar': Network;
  'D-photo': Network;
}

export interface CycleGanTaskOptions {
  source: Dataset;
  target: Dataset;
  networks: CycleGanNetworks;
  settings: CycleGanSettings;
  seed: number;
  config: unknown;
}

/** [B, H, W, C]. */
type Images = {
  photos: Tensor4D;
  avatars: Tensor4D;
};

const SCORED_IMAGES = 32;
/** What the networks will be used on: only then do batch norm's running statistics follow. */
const ON_REAL = { training: true };
const ON_OTHERS = { training: true, keepStatistics: true };

/**
 * CycleGAN (Zhu et al., ICCV 2017) with least-squares adversarial losses: L_cyc = E|F(G(x)) − x|₁ + E|G(F(y)) − y|₁, and the identity loss
 * E|G(y) − y|₁ + E|F(x) − x|₁. One update of both generators, then one of both discriminators on pictures from the pools.
 */
export class CycleGanTask implements TrainingTask {
  readonly config: unknown;
  readonly best: BestWeights;
  readonly average: RunningAverage<'G' | 'F'>;
  private readonly sources: BatchSampler;
  private readonly targets: BatchSampler;
  private readonly pools: { avatars: ImagePool; photos: ImagePool };
  private readonly gOptimizer: Optimizer;
  private readonly dOptimizer: Optimizer;
  readonly parts: RunParts;

  constructor(private readonly options: CycleGanTaskOptions) {
    const { settings, seed, source, target, networks } = options;
    this.config = options.config;
    this.sources = new BatchSampler(source.count, settings.batchSize, seed);
    this.targets = new BatchSampler(target.count, settings.batchSize, seed + 1);
    this.pools = { avatars: new ImagePool(settings.poolSize, target.shape), photos: new ImagePool(settings.poolSize, source.shape) };
    const optimizer = { name: settings.optimizer, beta1: settings.beta1 };
    const { G, F, 'D-avatar': avatarD, 'D-photo': photoD } = networks;
    this.gOptimizer = new Optimizer(optimizer, trainableOf({ G, F }));
    this.dOptimizer = new Optimizer(optimizer, trainableOf({ 'D-avatar': avatarD, 'D-photo': photoD }));
    this.average = new RunningAverage({ G, F }, settings.averageDecay);
    this.best = new BestWeights(this.average.networks, settings.selection);
    this.parts = {
      ...savedNetworks({ ...networks }),
      ...this.average.parts,
      ...savedSamplers({ sources: this.sources, targets: this.targets }),
      'pool-avatars': this.pools.avatars,
      'pool-photos': this.pools.photos,
      'G-optimizer': this.gOptimizer,
      'D-optimizer': this.dOptimizer,
      best: this.best,
    };
  }

  trainStep(step: number, rateScale = 1): StepMetrics {
    const { settings } = this.options;
    const rate = scheduledRate(settings.schedule, settings.learningRate * rateScale, step, settings.steps);
    return tf.tidy(() => {
      const images = this.images(this.sources.next(), this.targets.next());
      const { drawnAvatars, drawnPhotos, ...losses } = this.updateGenerators.run({ ...images, rates: this.gOptimizer.begin(rate), shares: this.average.sharesAt(step) });
      const random = new Random(this.options.seed, step, 2);
      const earlier = { oldAvatars: this.pools.avatars.exchange(drawnAvatars!, random), oldPhotos: this.pools.photos.exchange(drawnPhotos!, random) };
      const metrics = readScalars({ ...losses, ...this.updateDiscriminators.run({ ...images, ...earlier, rates: this.dOptimizer.begin(rate) }) });
      return Object.assign(metrics, this.best.consider(step + 1, () => this.score()));
    });
  }

  /** Frees the optimizers' slots and the averages; the networks are the caller's. */
  dispose(): void {
    this.updateGenerators.dispose();
    this.updateDiscriminators.dispose();
    this.gOptimizer.dispose();
    this.dOptimizer.dispose();
    this.average.dispose();
  }

  private images(sources: ArrayLike<number>, targets: ArrayLike<number>): Images {
    const { source, target } = this.options;
    return { photos: toTensor(source.batch(sources).images, source.shape), avatars: toTensor(target.batch(targets).images, target.shape) };
  }

  private readonly updateGenerators = new CompiledStep(({ photos, avatars, rates, shares }: Images & { rates: Tensor1D; shares: Tensor1D }): Record<string, Tensor> => {
    const { networks, settings } = this.options;
    const { G, F, 'D-avatar': dAvatar, 'D-photo': dPhoto } = networks;
    const kept: Record<string, Tensor> = {};
    const loss = this.gOptimizer.minimize(() => {
      const [drawnAvatars, drawnPhotos] = [G.apply(photos, ON_REAL), F.apply(avatars, ON_REAL)];
      const terms = {
        gan: leastSquaresLoss(dAvatar.apply(drawnAvatars, ON_OTHERS), 1).add(leastSquaresLoss(dPhoto.apply(drawnPhotos, ON_OTHERS), 1)),
        cycle: absoluteError(F.apply(drawnAvatars, ON_OTHERS), photos).add(absoluteError(G.apply(drawnPhotos, ON_OTHERS), avatars)),
        identity: settings.weights.identity > 0 ? absoluteError(G.apply(avatars, ON_OTHERS), avatars).add(absoluteError(F.apply(photos, ON_OTHERS), photos)) : tf.scalar(0),
      };
      for (const [name, term] of Object.entries(terms)) kept[name] = tf.keep(term.clone());
      Object.assign(kept, { drawnAvatars: tf.keep(drawnAvatars.clone()), drawnPhotos: tf.keep(drawnPhotos.clone()) });
      return tf.addN(Object.entries(terms).map(([name, term]) => term.mul(settings.weights[name as keyof typeof terms])));
    }, rates);
    this.average.follow(shares);
    return { g: loss, ...kept };
  });

  private readonly updateDiscriminators = new CompiledStep(({ photos, avatars, oldAvatars, oldPhotos, rates }: Images & { oldAvatars: Tensor; oldPhotos: Tensor; rates: Tensor1D }): Record<string, Tensor> => {
    const { networks } = this.options;
    const kept: Record<string, Tensor> = {};
    const judge = (discriminator: Network, real: Tensor, pictures: Tensor, kind: string): Tensor => {
      const [onReal, onDrawn] = [discriminator.apply(real, ON_REAL), discriminator.apply(pictures, ON_OTHERS)];
      kept[`accuracy/${kind}`] = tf.keep(onReal.greater(0.5).toFloat().mean().add(onDrawn.less(0.5).toFloat().mean()).div(2));
      return leastSquaresLoss(onReal, 1).add(leastSquaresLoss(onDrawn, 0)).div(2);
    };
    const loss = this.dOptimizer.minimize(
      () => judge(networks['D-avatar'], avatars, oldAvatars, 'avatars').add(judge(networks['D-photo'], photos, oldPhotos, 'photos')),
      rates,
    );
    return { d: loss, ...kept };
  });

  private score(): Record<string, number> {
    const { source, target } = this.options;
    const { G, F } = this.average.networks;
    const some = (dataset: Dataset) => Array.from({ length: Math.min(SCORED_IMAGES, dataset.count) }, (_, i) => i);
    const { photos, avatars } = this.images(some(source), some(target));
    const cycle = absoluteError(F.apply(G.apply(photos)), photos).add(absoluteError(G.apply(F.apply(avatars)), avatars));
    return readScalars({ cycle, identity: absoluteError(G.apply(avatars), avatars) });
  }
}
