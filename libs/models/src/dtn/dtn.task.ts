import { BatchSampler, type Dataset, Random } from '@caricature/tensors';
import { tf, type Tensor, type Tensor1D, type Tensor2D, type Tensor4D } from '../backend/tensorflow.js';
import { type RunParts, savedNetworks, savedSamplers } from '../checkpoint/stateful.js';
import { type Gradients, gradientsOfEach } from '../backend/gradients.js';
import { PreparedImages } from '../batches/prepared-images.js';
import { CompiledStep } from '../compiled/compiled-step.js';
import { oneHot } from '../images.js';
import { dropoutSeedOf, uniform } from '../layers/dropout.js';
import { type Network, trainableOf } from '../layers/network.js';
import { constancyLoss, crossEntropy, D_CLASSES, discriminatorLoss, generatorLoss, identityLoss, totalVariationLoss } from '../losses/dtn.losses.js';
import { onOwnTape, termWithGradient } from '../losses/own-tape.js';
import { Optimizer } from '../optimizer/optimizer.js';
import { scheduledRate } from '../optimizer/schedule.js';
import type { DtnSettings } from '../presets.js';
import { BestWeights } from '../trainer/best-weights.js';
import { RunningAverage } from '../trainer/running-average.js';
import { readScalars, type StepMetrics, type TrainingTask } from '../trainer/trainer.js';
import { type Features, gatherFeatures } from './features.js';
import { drawShifts, shiftAlike } from './shift.js';
import { createTransferScore } from './transfer-score.js';

export interface DtnNetworks {
  f: Network;
  /** f as it reads the target domain, and so G(x), where it is not the same for both domains. */
  fOfTarget?: Network | undefined;
  g: Network;
  D: Network;
  /** Reads names off f's features; needed to train f along, and to score what f reads off the pictures. */
  head?: Network | undefined;
}

export interface DtnTaskOptions {
  source: Dataset;
  target: Dataset;
  networks: DtnNetworks;
  /** f of every source and every target image where f is frozen: once is enough. Without them f is trained along (mode Joint). */
  features?: { source: Features; target: Features } | undefined;
  settings: DtnSettings;
  seed: number;
  config: unknown;
}

/** What a step is given, anew each time. */
type DtnInputs = {
  /** Of source images, then of target images: f(x) [2B, features] where f is frozen, the images [2B, H, W, C] where it is not. */
  input: Tensor;
  /** Target images [B, H, W, C]. */
  target: Tensor4D;
  /** Names of the source images [B, names], where f is trained along. */
  names?: Tensor2D;
  ratesOfG: Tensor1D;
  ratesOfD: Tensor1D;
  sharesOfAverage: Tensor1D;
  dropoutSeed: Tensor;
  /** How D is shown the images. */
  shifts: Tensor2D;
  /** How f is shown the pictures, where that is not steady. */
  shiftsForF?: Tensor2D;
  noiseForF?: Tensor1D;
};

/** What comes of D's look at a batch. */
interface Judgement {
  forG: Gradients;
  metrics: Record<string, Tensor>;
  gradientsOfD: Tensor[];
}

/**
 * The Domain Transfer Network (Taigman, Polyak, Wolf, ICLR 2017): G = g∘f. A step draws a batch of both domains, makes G's pictures and D's
 * judgement of them once, and updates by these g (and f and its classifier, in mode Joint) and D.
 */
export class DtnTask implements TrainingTask {
  readonly config: unknown;
  readonly best: BestWeights;
  /** What is exported: g's running average, and f's where it is trained. */
  readonly average: RunningAverage<string>;
  private readonly sources: BatchSampler;
  private readonly targets: BatchSampler;
  private readonly sourceImages: PreparedImages | undefined;
  private readonly targetImages: PreparedImages;
  private readonly gOptimizer: Optimizer;
  private readonly dOptimizer: Optimizer;
  readonly parts: RunParts;
  private readonly score: () => Record<string, number>;

  constructor(private readonly options: DtnTaskOptions) {
    const { settings, seed, source, target, networks } = options;
    this.config = options.config;
    this.sources = new BatchSampler(source.count, settings.batchSize, seed);
    this.targets = new BatchSampler(target.count, settings.batchSize, seed + 1);
    const asTheyAre = { augmentation: 'none', seed } as const;
    // Where f is frozen no source image is needed again.
    this.sourceImages = options.features ? undefined : new PreparedImages(source, asTheyAre);
    this.targetImages = new PreparedImages(target, asTheyAre);
    const { f, fOfTarget, g, D, head } = networks;
    const trained: Record<string, Network> = options.features ? { g } : { g, f, head: head! };
    const optimizer = { name: settings.optimizer, beta1: settings.beta1 };
    this.gOptimizer = new Optimizer(optimizer, trainableOf(trained));
    this.dOptimizer = new Optimizer(optimizer, D.trainable);
    this.average = new RunningAverage(trained, settings.averageDecay);
    this.best = new BestWeights(this.average.networks, settings.selection);
    this.score = createTransferScore({ source, target, seed, networks: () => ({ f, fOfTarget, head, ...this.average.networks }) });
    this.parts = {
      ...savedNetworks({ ...trained, D }),
      ...this.average.parts,
      ...savedSamplers({ sources: this.sources, targets: this.targets }),
      'g-optimizer': this.gOptimizer,
      'D-optimizer': this.dOptimizer,
      best: this.best,
    };
  }

  trainStep(step: number, rateScale = 1): StepMetrics {
    const { settings } = this.options;
    const rate = scheduledRate(settings.schedule, settings.learningRate * rateScale, step, settings.steps);
    return tf.tidy(() => {
      const metrics = readScalars(this.update.run({ ...this.nextBatch(step), ...this.nextNumbers(step, rate) }));
      return Object.assign(metrics, this.best.consider(step + 1, this.score));
    });
  }

  /** Frees the optimizers' slots and the averages, and ends the threads that prepare images; the networks are the caller's. */
  dispose(): void {
    this.sourceImages?.dispose();
    this.targetImages.dispose();
    this.update.dispose();
    this.gOptimizer.dispose();
    this.dOptimizer.dispose();
    this.average.dispose();
  }

  private nextBatch(step: number): Pick<DtnInputs, 'input' | 'target' | 'names'> {
    const { source, features, settings } = this.options;
    const { indices: targetIndices, images: target } = this.targetImages.next(this.targets, step);
    if (!features) {
      const { indices, images } = this.sourceImages!.next(this.sources, step);
      return { input: tf.concat([images, target]), target, names: oneHot(indices.map((i) => source.labels[i]!), source.manifest.numLabels) };
    }
    const { size } = features.source;
    const rows = new Float32Array(2 * settings.batchSize * size);
    rows.set(gatherFeatures(features.source, this.sources.next()));
    rows.set(gatherFeatures(features.target, targetIndices), settings.batchSize * size);
    return { input: tf.tensor2d(rows, [2 * settings.batchSize, size]), target };
  }

  /** What else differs from step to step. */
  private nextNumbers(step: number, rate: number): Omit<DtnInputs, 'input' | 'target' | 'names'> {
    const { settings, seed } = this.options;
    return {
      ratesOfG: this.gOptimizer.begin(rate),
      ratesOfD: this.dOptimizer.begin(rate * settings.discriminatorRate),
      sharesOfAverage: this.average.sharesAt(step),
      dropoutSeed: dropoutSeedOf(seed, step),
      shifts: drawShifts(settings.shift, new Random(seed, step, 31)),
      ...(settings.unsteady && { shiftsForF: drawShifts(settings.unsteady.shift, new Random(seed, step, 33)), noiseForF: tf.tensor1d([seed, step], 'int32') }),
    };
  }

  private readonly update = new CompiledStep((inputs: DtnInputs) => {
    const { metrics, gradientsOfD } = this.updateGenerator(inputs);
    this.dOptimizer.update(gradientsOfD, inputs.ratesOfD);
    this.average.follow(inputs.sharesOfAverage);
    return metrics;
  });

  /**
   * One update of g by L_GANG + α L_CONST + β L_TID + γ L_TV; in mode Joint of f and its classifier too, whose own loss is added. What D would learn from the
   * same pictures comes with it.
   */
  private updateGenerator(inputs: DtnInputs): { metrics: Record<string, Tensor>; gradientsOfD: Tensor[] } {
    const { input, target, names, dropoutSeed } = inputs;
    const { networks, settings } = this.options;
    const { f, fOfTarget, g, head } = networks;
    const kept: Record<string, Tensor> = {};
    const weights: Record<string, number> = { ...settings.weights, naming: settings.naming };
    let judged: Judgement | undefined;
    const loss = this.gOptimizer.minimize(() => {
      const features = names ? f.apply(input) : input;
      const [sourceFeatures] = tf.split(features, 2) as [Tensor, Tensor];
      const pictures = g.apply(features, { training: true, dropoutSeed }) as Tensor4D;
      const [transferred, reconstructed] = tf.split(pictures, 2) as [Tensor4D, Tensor4D];
      const constancy = (drawn: Tensor) => constancyLoss(sourceFeatures, (fOfTarget ?? f).apply(this.shownToF(drawn as Tensor4D, inputs)));
      const terms = {
        gan: termWithGradient(pictures, (drawn) => (judged = this.judge(drawn as Tensor4D, inputs)).forG),
        // In mode Joint f's weights change by it, too.
        const: names ? constancy(transferred) : onOwnTape(transferred, constancy),
        tid: identityLoss(target, reconstructed),
        tv: settings.weights.tv > 0 ? totalVariationLoss(pictures) : tf.scalar(0),
        ...(names && { naming: crossEntropy(head!.apply(sourceFeatures), names) }),
      };
      for (const [name, term] of Object.entries(terms)) kept[name] = tf.keep(term.clone());
      return tf.addN(Object.entries(terms).map(([name, term]) => term.mul(weights[name]!)));
    }, inputs.ratesOfG);
    return { metrics: { g: loss, ...kept, ...judged!.metrics }, gradientsOfD: judged!.gradientsOfD };
  }

  /** L_GANG with its gradient by the pictures [2B, H, W, C], and L_D with its gradients by D's weights, from one pass through D. */
  private judge(pictures: Tensor4D, { target, shifts }: DtnInputs): Judgement {
    const { networks, settings } = this.options;
    const metrics: Record<string, Tensor> = {};
    const [forG, forD] = gradientsOfEach(() => {
      const logits = splitThree(networks.D.apply(this.shownToD(pictures, target, shifts), { training: true }));
      logits.forEach((part, index) => (metrics[`accuracy/${D_CLASSES[index]!}`] = tf.keep(part.argMax(-1).equal(index).toFloat().mean())));
      return [generatorLoss(logits[0], logits[1]), discriminatorLoss(logits, settings.labelSmoothing)];
    }, [[pictures], this.dOptimizer.variables]) as [Gradients, Gradients];
    return { forG, metrics: { d: tf.keep(forD.value), ...metrics }, gradientsOfD: forD.grads.map((gradient) => tf.keep(gradient!)) };
  }

  /** [B, H, W, C] as f is shown them for L_CONST. */
  private shownToF(pictures: Tensor4D, { shiftsForF, noiseForF }: DtnInputs): Tensor4D {
    const { unsteady } = this.options.settings;
    if (!unsteady) return pictures;
    const noise = uniform(pictures.shape, noiseForF!).sub(0.5).mul(2 * unsteady.noise);
    return shiftAlike(pictures, 1, unsteady.shift, shiftsForF!).add(noise);
  }

  /** [3B, H, W, C], as D is shown them. */
  private shownToD(pictures: Tensor4D, target: Tensor4D, shifts: Tensor2D): Tensor4D {
    return shiftAlike(tf.concat([pictures, target]), 3, this.options.settings.shift, shifts);
  }
}

function splitThree(logits: Tensor): [Tensor, Tensor, Tensor] {
  return tf.split(logits, 3) as [Tensor, Tensor, Tensor];
}
