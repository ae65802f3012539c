import { BatchSampler, Random } from '@caricature/tensors';
import { tf, type Tensor, type Tensor1D, type Tensor4D } from '../backend/tensorflow.js';
import { type RunParts, savedNetworks, savedSamplers } from '../checkpoint/stateful.js';
import { CompiledStep } from '../compiled/compiled-step.js';
import { toTensor } from '../images.js';
import { uniform } from '../layers/dropout.js';
import type { Network } from '../layers/network.js';
import { crossEntropy } from '../losses/dtn.losses.js';
import { Optimizer } from '../optimizer/optimizer.js';
import { scheduledRate } from '../optimizer/schedule.js';
import type { TrainingSettings } from '../settings.js';
import { readScalars, type StepMetrics, type TrainingTask } from '../trainer/trainer.js';
import { beliefOf, GRID } from './place-distance.js';
import { toBeliefLogits, toReaderSize } from './position-reader.js';

/** Pictures whose features' places are known. */
export interface PlacedImages {
  count: number;
  /** Height and width. */
  size: number;
  pixels: Uint8Array; // (count, size, size, 3)
  /** Shares of width and height. */
  places: Float32Array; // (count, features, 2): x, y
}

/** Share of the noise's greatest value, the contrast's and the brightness's change, in −1…1. */
const NOISE = 0.15;
const CONTRAST = 0.3;
const BRIGHTNESS = 0.15;

/** Trains the position reader by cross-entropy between the cells of each feature. */
export class PositionTask implements TrainingTask {
  readonly lossLimit = 100;
  private readonly sampler: BatchSampler;
  private readonly optimizer: Optimizer;
  readonly parts: RunParts;

  constructor(
    private readonly images: PlacedImages,
    private readonly reader: Network,
    private readonly settings: TrainingSettings,
    private readonly seed: number,
    readonly config: unknown,
  ) {
    this.sampler = new BatchSampler(images.count, settings.batchSize, seed);
    this.optimizer = new Optimizer({ name: settings.optimizer, beta1: settings.beta1 }, reader.trainable);
    this.parts = { ...savedNetworks({ reader }), ...savedSamplers({ sampler: this.sampler }), optimizer: this.optimizer };
  }

  trainStep(step: number, rateScale = 1): StepMetrics {
    const rate = scheduledRate(this.settings.schedule, this.settings.learningRate * rateScale, step, this.settings.steps);
    return tf.tidy(() => {
      return readScalars(this.update.run({ ...this.nextBatch(step), rates: this.optimizer.begin(rate) }));
    });
  }

  private readonly update = new CompiledStep(({ pictures, targets, rates }: { pictures: Tensor4D; targets: Tensor; rates: Tensor1D }) => ({
    loss: this.optimizer.minimize(() => crossEntropy(toBeliefLogits(this.reader.apply(pictures, { training: true })), targets), rates),
  }));

  /** Frees the optimizer's slots; the network is the caller's. */
  dispose(): void {
    this.update.dispose();
    this.optimizer.dispose();
  }

  /** What is scored is softer and grainier than an avatar that was drawn: some pictures are blurred, all get noise and another light. */
  private nextBatch(step: number): { pictures: Tensor4D; targets: Tensor } {
    const { size, pixels, places, count } = this.images;
    const indices = this.sampler.next();
    const [bytes, features] = [size * size * 3, places.length / 2 / count];
    const batch = new Uint8Array(indices.length * bytes);
    const targets = new Float32Array(indices.length * features * GRID * GRID);
    indices.forEach((index, k) => {
      batch.set(pixels.subarray(index * bytes, (index + 1) * bytes), k * bytes);
      for (let f = 0; f < features; f++) {
        const at = (index * features + f) * 2;
        targets.set(beliefOf([places[at]!, places[at + 1]!]), (k * features + f) * GRID * GRID);
      }
    });
    const pictures = this.vary(toReaderSize(toTensor(batch, [size, size, 3])), step);
    return { pictures, targets: tf.tensor2d(targets, [indices.length * features, GRID * GRID]) };
  }

  private vary(images: Tensor4D, step: number): Tensor4D {
    const random = new Random(this.seed, step, 41);
    const each = (value: () => number) => tf.tensor4d(Float32Array.from({ length: images.shape[0] }, value), [images.shape[0], 1, 1, 1]);
    const softened = each(() => Math.max(0, random.uniform() * 2 - 1));
    const blurred = images.add(tf.avgPool(images, 3, 1, 'same').sub(images).mul(softened));
    const lit = blurred.mul(each(() => 1 - CONTRAST * random.uniform())).add(each(() => BRIGHTNESS * (2 * random.uniform() - 1)));
    const noise = uniform(images.shape, [this.seed, step]).sub(0.5).mul(2 * NOISE).mul(each(() => random.uniform()));
    return lit.add(noise) as Tensor4D;
  }
}
