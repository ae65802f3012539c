import { BatchSampler, type BatchSamplerState, type Dataset } from '@caricature/tensors';
import { tf, type Tensor, type Tensor2D, type Tensor4D } from '../backend/tensorflow.js';
import { type Checkpoint, tensorsUnder, withPrefix } from '../checkpoint/checkpoint.js';
import { toTensor } from '../images.js';
import { Network } from '../layers/network.js';
import { constancyLoss, D_CLASSES, discriminatorLoss, generatorLoss, identityLoss, totalVariationLoss } from '../losses/dtn.losses.js';
import { Optimizer } from '../optimizer/optimizer.js';
import { scheduledRate } from '../optimizer/schedule.js';
import type { DtnSettings } from '../presets.js';
import type { StepMetrics, TrainingTask } from '../trainer/trainer.js';
import { type Features, gatherFeatures } from './features.js';

export interface DtnTaskOptions {
  target: Dataset;
  /** f of every source and every target image: f is frozen, so once is enough. */
  sourceFeatures: Features;
  targetFeatures: Features;
  f: Network;
  g: Network;
  discriminator: Network;
  settings: DtnSettings;
  seed: number;
  config: unknown;
}

interface DtnBatch {
  /** f(x) of source images, then of target images: [2B, features]. */
  features: Tensor2D;
  /** Target images [B, H, W, C]. */
  target: Tensor4D;
}

/**
 * The Domain Transfer Network (Taigman, Polyak, Wolf, ICLR 2017): G = g∘f, f frozen. A step draws a batch of both domains, makes G's
 * pictures once, updates g by them, then D by the same pictures.
 */
export class DtnTask implements TrainingTask {
  readonly config: unknown;
  /** What is exported: g's running average, or g itself. */
  readonly average: Network;
  private readonly sources: BatchSampler;
  private readonly targets: BatchSampler;
  private readonly gOptimizer: Optimizer;
  private readonly dOptimizer: Optimizer;

  constructor(private readonly options: DtnTaskOptions) {
    const { settings, seed, sourceFeatures, target, g, discriminator } = options;
    this.config = options.config;
    this.sources = new BatchSampler(sourceFeatures.values.length / sourceFeatures.size, settings.batchSize, seed);
    this.targets = new BatchSampler(target.count, settings.batchSize, seed + 1);
    const optimizer = { name: settings.optimizer, beta1: settings.beta1 };
    this.gOptimizer = new Optimizer(optimizer, g.trainable);
    this.dOptimizer = new Optimizer(optimizer, discriminator.trainable);
    this.average = settings.averageDecay > 0 ? g.clone() : g;
  }

  trainStep(step: number): StepMetrics {
    const { settings, g } = this.options;
    const rate = scheduledRate(settings.schedule, settings.learningRate, step, settings.steps);
    return tf.tidy(() => {
      const batch = this.nextBatch();
      const { metrics, pictures } = this.updateGenerator(batch, step, rate);
      Object.assign(metrics, this.updateDiscriminator(pictures, batch.target, rate));
      pictures.dispose();
      // A young average follows faster, or it would still hold first weights.
      if (this.average !== g) this.average.follow(g, Math.min(settings.averageDecay, (step + 1) / (step + 10)));
      return metrics;
    });
  }

  snapshot(): Pick<Checkpoint, 'tensors' | 'state'> {
    const g = this.gOptimizer.snapshot();
    const d = this.dOptimizer.snapshot();
    const tensors = [
      ...withPrefix('g', this.options.g.snapshot()),
      ...withPrefix('D', this.options.discriminator.snapshot()),
      ...withPrefix('average', this.average.snapshot()),
      ...withPrefix('g-optimizer', g.tensors),
      ...withPrefix('D-optimizer', d.tensors),
    ];
    return { tensors: new Map(tensors), state: { sources: this.sources.state, targets: this.targets.state, gUpdates: g.updates, dUpdates: d.updates } };
  }

  restore({ tensors, state }: Checkpoint): void {
    this.options.g.restore(tensorsUnder(tensors, 'g'));
    this.options.discriminator.restore(tensorsUnder(tensors, 'D'));
    this.average.restore(tensorsUnder(tensors, 'average'));
    this.gOptimizer.restore(tensorsUnder(tensors, 'g-optimizer'), state.gUpdates as number);
    this.dOptimizer.restore(tensorsUnder(tensors, 'D-optimizer'), state.dUpdates as number);
    this.sources.state = state.sources as BatchSamplerState;
    this.targets.state = state.targets as BatchSamplerState;
  }

  /** Frees the optimizers' slots and the average; the networks are the caller's. */
  dispose(): void {
    this.gOptimizer.dispose();
    this.dOptimizer.dispose();
    if (this.average !== this.options.g) this.average.dispose();
  }

  private nextBatch(): DtnBatch {
    const { target, sourceFeatures, targetFeatures, settings } = this.options;
    const targetIndices = this.targets.next();
    const size = sourceFeatures.size;
    const features = new Float32Array(2 * settings.batchSize * size);
    features.set(gatherFeatures(sourceFeatures, this.sources.next()));
    features.set(gatherFeatures(targetFeatures, targetIndices), settings.batchSize * size);
    return { features: tf.tensor2d(features, [2 * settings.batchSize, size]), target: toTensor(target.batch(targetIndices).images, target.shape) };
  }

  /** One update of g by L_GANG + α L_CONST + β L_TID + γ L_TV. The pictures [2B, H, W, C] are kept for D. */
  private updateGenerator({ features, target }: DtnBatch, step: number, rate: number): { metrics: StepMetrics; pictures: Tensor4D } {
    const { g, f, discriminator, settings, seed } = this.options;
    const kept: Record<string, Tensor> = {};
    const [sourceFeatures] = tf.split(features, 2) as [Tensor, Tensor];
    const loss = this.gOptimizer.minimize(() => {
      const pictures = g.apply(features, { training: true, dropoutSeed: seed * 65_537 + step }) as Tensor4D;
      const [transferred, reconstructed] = tf.split(pictures, 2) as [Tensor4D, Tensor4D];
      const logits = splitThree(discriminator.apply(tf.concat([pictures, target]), { training: true }));
      const terms = {
        gan: generatorLoss(logits[0], logits[1]),
        const: constancyLoss(sourceFeatures, f.apply(transferred)),
        tid: identityLoss(target, reconstructed),
        tv: settings.weights.tv > 0 ? totalVariationLoss(pictures) : tf.scalar(0),
      };
      for (const [name, term] of Object.entries({ ...terms, pictures })) kept[name] = tf.keep(term.clone());
      const weighted = Object.entries(terms).map(([name, term]) => term.mul(settings.weights[name as keyof typeof terms]));
      return tf.addN(weighted);
    }, rate);
    const { pictures, ...terms } = kept;
    const metrics: StepMetrics = { g: loss.dataSync()[0]! };
    for (const [name, term] of Object.entries(terms)) {
      metrics[name] = term.dataSync()[0]!;
      term.dispose();
    }
    return { metrics, pictures: pictures as Tensor4D };
  }

  /** One update of D by L_D on pictures that g has already been judged by. */
  private updateDiscriminator(pictures: Tensor4D, target: Tensor4D, rate: number): StepMetrics {
    const { discriminator, settings } = this.options;
    const input = tf.concat([pictures, target]);
    let seen: [Tensor, Tensor, Tensor] | undefined;
    const loss = this.dOptimizer.minimize(() => {
      const logits = splitThree(discriminator.apply(input, { training: true }));
      seen = logits.map((part) => tf.keep(part.clone())) as [Tensor, Tensor, Tensor];
      return discriminatorLoss(logits, settings.labelSmoothing);
    }, rate);
    const metrics: StepMetrics = { d: loss.dataSync()[0]! };
    seen!.forEach((logits, index) => {
      metrics[`accuracy/${D_CLASSES[index]!}`] = logits.argMax(-1).equal(index).mean().dataSync()[0]!;
      logits.dispose();
    });
    return metrics;
  }
}

function splitThree(logits: Tensor): [Tensor, Tensor, Tensor] {
  return tf.split(logits, 3) as [Tensor, Tensor, Tensor];
}
