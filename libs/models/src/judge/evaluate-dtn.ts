import path from 'node:path';
import { type Dataset, Random } from '@caricature/tensors';
import { tf } from '../backend/tensorflow.js';
import { readGroups } from '../classifier/classifier.task.js';
import { loadFrozen } from '../dtn/caricaturist.js';
import { computeFeatures, type Features, gatherFeatures } from '../dtn/features.js';
import { nearestRows, rankRows } from '../dtn/nearest.js';
import type { SampleGrid } from '../dtn/train-dtn.js';
import { toPixels, toTensor } from '../images.js';
import type { Network } from '../layers/network.js';
import { frechetDistance, meanPairwiseDistance } from './distances.js';
import { scoreTraits, type TraitScores } from './trait-scores.js';

export interface EvaluateDtnOptions {
  source: Dataset;
  target: Dataset;
  /** Folder that holds f/ and head/ (from trainClassifier). */
  classifierDir: string;
  /** Folder that holds g/ (from trainDtn). */
  dtnDir: string;
  /** Folder that holds judge/ and judge-head/ (from trainJudge); the scores that need it are left out without. */
  judgeDir?: string;
  traitSizes?: number[];
  /** Whether a trait has a meaning for a person: hair colour has none for a bald, shaven one. */
  traitApplies?: (trait: string, traits: Record<string, number>) => boolean;
  /** Images of each domain that are looked at. */
  images: number;
  seed: number;
}

export interface DtnScores extends Partial<TraitScores> {
  /** Share of caricatures that f's own classifier gives the person's name. */
  labelPreservation: number;
  /** Share of caricatures whose nearest person in f's space (mean of that person's photos), or one of the five nearest, is the right one. */
  identityTop1: number;
  identityTop5: number;
  /** Mean squared error of x and G(x) on target images, in −1…1. */
  tidError: number;
  /** In the judge's features. */
  frechetDistance?: number;
  /** Mean distance between caricatures relative to that between real target images; 1 is as diverse. */
  diversity?: number;
}

/** Scores a trained DTN on images of both domains, and gives a grid to look at. */
export async function evaluateDtn(options: EvaluateDtnOptions): Promise<{ scores: DtnScores; grid: SampleGrid }> {
  const networks = {
    f: await loadFrozen(path.join(options.classifierDir, 'f')),
    head: await loadFrozen(path.join(options.classifierDir, 'head')),
    g: await loadFrozen(path.join(options.dtnDir, 'g')),
    judge: options.judgeDir ? await loadFrozen(path.join(options.judgeDir, 'judge')) : undefined,
    judgeHead: options.judgeDir ? await loadFrozen(path.join(options.judgeDir, 'judge-head')) : undefined,
  };
  try {
    return evaluate(options, networks);
  } finally {
    for (const network of Object.values(networks)) network?.dispose();
  }
}

interface Networks {
  f: Network;
  head: Network;
  g: Network;
  judge: Network | undefined;
  judgeHead: Network | undefined;
}

function evaluate(options: EvaluateDtnOptions, networks: Networks): { scores: DtnScores; grid: SampleGrid } {
  const { source, target, seed } = options;
  const { f, g, judge, judgeHead } = networks;
  const sourceIndices = new Random(seed, 11).permutation(source.count).slice(0, options.images);
  const targetIndices = new Random(seed, 12).permutation(target.count).slice(0, options.images);
  const allSource = computeFeatures(f, source);
  const features: Features = { values: gatherFeatures(allSource, sourceIndices), size: allSource.size };
  const targetFeatures = computeFeatures(f, target, targetIndices);
  const caricatures = applyToRows(g, features);
  const outputFeatures = applyToRows(f, caricatures);
  const scores: DtnScores = {
    ...identityScores(source, sourceIndices, allSource, outputFeatures),
    labelPreservation: labelPreservation(networks.head, outputFeatures, Array.from(sourceIndices, (i) => source.labels[i]!)),
    tidError: meanSquaredError(applyToRows(g, targetFeatures).values, toTensor(target.batch(targetIndices).images, target.shape)),
  };
  if (judge && judgeHead) {
    const drawn = applyToRows(judge, caricatures);
    const real = computeFeatures(judge, target, targetIndices);
    scores.frechetDistance = frechetDistance(drawn, real);
    scores.diversity = meanPairwiseDistance(drawn) / meanPairwiseDistance(real);
    if (source.traits && options.traitSizes) Object.assign(scores, readTraits(options, options.traitSizes, judgeHead, drawn, sourceIndices));
  }
  return { scores, grid: createGrid(source, target, sourceIndices, targetIndices, features, targetFeatures, caricatures) };
}

function readTraits({ source, traitApplies }: EvaluateDtnOptions, sizes: number[], judgeHead: Network, drawn: Features, indices: Int32Array): TraitScores {
  const logits = applyToRows(judgeHead, drawn);
  const read = tf.tidy(() => readGroups(tf.tensor2d(logits.values, [indices.length, logits.size]), sizes));
  const truth = Array.from(indices, (i) => Array.from(source.traitsOf(i)!));
  return scoreTraits(read, truth, source.manifest.traitNames!, traitApplies);
}

/** Applies a network to rows of features or flattened images, a chunk at a time. */
function applyToRows(network: Network, { values, size }: Features): Features {
  const outputSize = network.outputShape.reduce((a, b) => a * b, 1);
  const count = values.length / size;
  const result = new Float32Array(count * outputSize);
  for (let start = 0; start < count; start += 64) {
    const end = Math.min(count, start + 64);
    tf.tidy(() => {
      const rows = tf.tensor(values.subarray(start * size, end * size), [end - start, ...network.description.inputShape]);
      result.set(network.apply(rows).dataSync() as Float32Array, start * outputSize);
    });
  }
  return { values: result, size: outputSize };
}

function identityScores(source: Dataset, indices: Int32Array, all: Features, output: Features): Pick<DtnScores, 'identityTop1' | 'identityTop5'> {
  const people = meanByLabel(all, source.labels, source.manifest.numLabels);
  const ranked = rankRows(output, people, 5);
  const share = (count: number) => ranked.filter((labels, k) => labels.slice(0, count).includes(source.labels[indices[k]!]!)).length / ranked.length;
  return { identityTop1: share(1), identityTop5: share(5) };
}

function meanByLabel({ values, size }: Features, labels: Int32Array, numLabels: number): Features {
  const counts = new Float64Array(numLabels);
  for (const label of labels) counts[label]! += 1;
  const means = new Float32Array(numLabels * size);
  labels.forEach((label, i) => {
    for (let k = 0; k < size; k++) means[label * size + k]! += values[i * size + k]! / counts[label]!;
  });
  return { values: means, size };
}

function labelPreservation(head: Network, output: Features, labels: number[]): number {
  const logits = applyToRows(head, output);
  return tf.tidy(() => {
    const read = readGroups(tf.tensor2d(logits.values, [labels.length, logits.size]), [logits.size]);
    return read.filter(([label], k) => label === labels[k]).length / labels.length;
  });
}

function meanSquaredError(values: Float32Array, images: { dataSync(): ArrayLike<number>; dispose(): void }): number {
  const wanted = images.dataSync();
  images.dispose();
  return values.reduce((sum, value, i) => sum + (value - wanted[i]!) ** 2, 0) / values.length;
}

const GRID_IMAGES = 24;

function createGrid(source: Dataset, target: Dataset, sourceIndices: Int32Array, targetIndices: Int32Array, features: Features, targetFeatures: Features, caricatures: Features): SampleGrid {
  const count = Math.min(GRID_IMAGES, sourceIndices.length);
  const nearest = nearestRows({ values: features.values.subarray(0, count * features.size), size: features.size }, targetFeatures);
  return {
    photos: source.batch(sourceIndices.subarray(0, count)).images,
    caricatures: toPixels({ dataSync: () => caricatures.values.subarray(0, count * caricatures.size) }),
    nearest: target.batch(Array.from(nearest, (i) => targetIndices[i]!)).images,
    count,
    shape: source.shape,
  };
}
