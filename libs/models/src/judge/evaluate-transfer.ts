import path from 'node:path';
import { type Dataset, Random } from '@caricature/tensors';
import { tf } from '../backend/tensorflow.js';
import { readGroups } from '../classifier/classifier.task.js';
import { computeFeatures, type Features } from '../dtn/features.js';
import { nearestRows, rankRows } from '../dtn/nearest.js';
import { toPixels, toTensor } from '../images.js';
import type { Network } from '../layers/network.js';
import { applyTransfer, loadFrozen, loadTransfer } from '../transfer/caricaturist.js';
import type { SampleGrid } from '../transfer/sample-grid.js';
import { frechetDistance, meanPairwiseDistance } from './distances.js';
import { readBeliefs } from './position-reader.js';
import { inPixels, type PositionScores, scorePositions } from './position-scores.js';
import { scoreTraits, type TraitScores } from './trait-scores.js';

const CHUNK = 64;

export interface EvaluateTransferOptions {
  source: Dataset;
  target: Dataset;
  /** Folders of the networks that are applied one after another: f and g, or one generator. */
  transfer: string[];
  /** Folder that holds f/ and head/ (from trainClassifier), which read people; the scores that need them are left out without. */
  readerDir?: string | undefined;
  /** Folder that holds judge/ and judge-head/ (from trainJudge), which read traits, or labels where no `traitSizes` are given; the scores that need them are left out without. */
  judgeDir?: string | undefined;
  traitSizes?: number[];
  /** Whether a trait has a meaning for a person: hair colour has none for a bald, shaven one. */
  traitApplies?: (trait: string, traits: Record<string, number>) => boolean;
  /** Who finds the features of a face, where the source's true traits say where they should be. */
  positions?: PositionOptions | undefined;
  /** Images of each domain that are looked at, at most. */
  images: number;
  seed: number;
}

export interface PositionOptions {
  /** Folder that holds position-reader/ (from trainPositionReader). */
  readerDir: string;
  /** Of the features, in the order of their places; those of one name are averaged. */
  featureNames: string[];
  /** Where the target picture of these traits has them: (features, 2), x and y in shares of a side; undefined where the traits do not say. */
  placesOf: (traits: ArrayLike<number>) => Float32Array | undefined;
}

export interface TransferScores extends Partial<TraitScores>, Partial<PositionScores> {
  /** Share of caricatures that are given the photo's true label: by the judge where it reads labels, else by f's own classifier. */
  labelPreservation?: number;
  /** Share of caricatures whose nearest person in f's space (mean of that person's photos), or one of the five nearest, is the right one. */
  identityTop1?: number;
  identityTop5?: number;
  /** Mean squared error of x and G(x) on target images, in −1…1. */
  tidError: number;
  /** Share of target images whose label the judge reads right, where it reads labels. */
  judgeAccuracy?: number;
  /** In the judge's features. */
  frechetDistance?: number;
  /** Mean distance between caricatures relative to that between real target images; 1 is as diverse. */
  diversity?: number;
}

interface Networks {
  transfer: Network[];
  reader: { f: Network; head: Network } | undefined;
  judge: { f: Network; head: Network } | undefined;
  positionReader: Network | undefined;
}

/** Scores what a trained model draws of images of both domains, and gives a grid to look at. */
export async function evaluateTransfer(options: EvaluateTransferOptions): Promise<{ scores: TransferScores; grid: SampleGrid }> {
  const pair = async (dir: string | undefined, f: string, head: string) => dir === undefined ? undefined : { f: await loadFrozen(path.join(dir, f)), head: await loadFrozen(path.join(dir, head)) };
  const networks: Networks = {
    transfer: await loadTransfer(...options.transfer),
    reader: await pair(options.readerDir, 'f', 'head'),
    judge: await pair(options.judgeDir, 'judge', 'judge-head'),
    positionReader: options.positions && (await loadFrozen(path.join(options.positions.readerDir, 'position-reader'))),
  };
  try {
    return evaluate(options, networks);
  } finally {
    const { transfer, reader, judge, positionReader } = networks;
    for (const network of [...transfer, reader?.f, reader?.head, judge?.f, judge?.head, positionReader]) network?.dispose();
  }
}

function evaluate(options: EvaluateTransferOptions, { transfer, reader, judge, positionReader }: Networks): { scores: TransferScores; grid: SampleGrid } {
  const { source, target, seed } = options;
  const photos = new Random(seed, 11).permutation(source.count).slice(0, options.images);
  const avatars = new Random(seed, 12).permutation(target.count).slice(0, options.images);
  const caricatures = draw(transfer, source, photos);
  const redrawn = draw(transfer, target, avatars);
  const scores: TransferScores = {
    ...(reader && identityScores(reader, source, photos, caricatures)),
    tidError: meanSquaredError(redrawn.values, toTensor(target.batch(avatars).images, target.shape)),
  };
  if (judge) {
    const drawn = applyToRows(judge.f, caricatures);
    const real = computeFeatures(judge.f, target, avatars);
    scores.frechetDistance = frechetDistance(drawn, real);
    scores.diversity = meanPairwiseDistance(drawn) / meanPairwiseDistance(real);
    if (options.traitSizes === undefined) {
      scores.labelPreservation = shareRight(judge.head, drawn, labelsOf(source, photos));
      scores.judgeAccuracy = shareRight(judge.head, real, labelsOf(target, avatars));
    } else if (source.traits) Object.assign(scores, readTraits(options, options.traitSizes, judge.head, drawn, photos));
  }
  if (positionReader) Object.assign(scores, comparePositions(options, positionReader, photos, avatars, caricatures));
  return { scores, grid: createGrid(options, (reader ?? judge)?.f, photos, avatars, caricatures) };
}

/** What the model draws of images of a data set: flattened rows in −1…1. */
function draw(transfer: Network[], dataset: Dataset, indices: Int32Array): Features {
  const size = dataset.shape.reduce((a, b) => a * b, 1);
  const values = new Float32Array(indices.length * size);
  for (let start = 0; start < indices.length; start += CHUNK) {
    tf.tidy(() => values.set(applyTransfer(transfer, toTensor(dataset.batch(indices.subarray(start, start + CHUNK)).images, dataset.shape)).dataSync() as Float32Array, start * size));
  }
  return { values, size };
}

function readTraits({ source, traitApplies }: EvaluateTransferOptions, sizes: number[], judgeHead: Network, drawn: Features, indices: Int32Array): TraitScores {
  const logits = applyToRows(judgeHead, drawn);
  const read = tf.tidy(() => readGroups(tf.tensor2d(logits.values, [indices.length, logits.size]), sizes));
  const truth = Array.from(indices, (i) => Array.from(source.traitsOf(i)!));
  return scoreTraits(read, truth, source.manifest.traitNames!, traitApplies);
}

/** The caricatures' features against their true places; beside it those of the photos themselves, and of real avatars by their own traits. */
function comparePositions({ source, target, positions }: EvaluateTransferOptions, reader: Network, photos: Int32Array, avatars: Int32Array, caricatures: Features): Partial<PositionScores> {
  if (!source.traits || !target.traits) return {};
  const { featureNames, placesOf } = positions!;
  const read = (values: Float32Array, dataset: Dataset, indices: Int32Array) =>
    scorePositions(readBeliefs(reader, values, source.shape), truePlaces(dataset, indices, placesOf, featureNames.length), featureNames);
  const [caricature, photo] = [read(caricatures.values, source, photos), read(pixelsOf(source, photos), source, photos)];
  const avatar = read(pixelsOf(target, avatars), target, avatars);
  return Object.keys(caricature).length > 0 ? inPixels({ caricature, photo, avatar }, source.shape[1]) : {};
}

/** (images, features, 2); NaN where an image's traits do not say. */
function truePlaces(dataset: Dataset, indices: Int32Array, placesOf: PositionOptions['placesOf'], features: number): Float32Array {
  const places = new Float32Array(indices.length * features * 2).fill(NaN);
  indices.forEach((index, k) => places.set(placesOf(dataset.traitsOf(index)!) ?? [], k * features * 2));
  return places;
}

function pixelsOf(dataset: Dataset, indices: Int32Array): Float32Array {
  const images = toTensor(dataset.batch(indices).images, dataset.shape);
  const values = images.dataSync() as Float32Array;
  images.dispose();
  return values;
}

function labelsOf({ labels }: Dataset, indices: Int32Array): number[] {
  return Array.from(indices, (i) => labels[i]!);
}

/** Applies a network to rows of features or flattened images, a chunk at a time. */
function applyToRows(network: Network, { values, size }: Features): Features {
  const outputSize = network.outputShape.reduce((a, b) => a * b, 1);
  const count = values.length / size;
  const result = new Float32Array(count * outputSize);
  for (let start = 0; start < count; start += CHUNK) {
    const end = Math.min(count, start + CHUNK);
    tf.tidy(() => {
      const rows = tf.tensor(values.subarray(start * size, end * size), [end - start, ...network.description.inputShape]);
      result.set(network.apply(rows).dataSync() as Float32Array, start * outputSize);
    });
  }
  return { values: result, size: outputSize };
}

function identityScores({ f, head }: { f: Network; head: Network }, source: Dataset, photos: Int32Array, caricatures: Features): Pick<TransferScores, 'labelPreservation' | 'identityTop1' | 'identityTop5'> {
  const output = applyToRows(f, caricatures);
  const people = meanByLabel(computeFeatures(f, source), source.labels, source.manifest.numLabels);
  const truth = labelsOf(source, photos);
  const ranked = rankRows(output, people, 5);
  const share = (count: number) => ranked.filter((labels, k) => labels.slice(0, count).includes(truth[k]!)).length / ranked.length;
  return { labelPreservation: shareRight(head, output, truth), identityTop1: share(1), identityTop5: share(5) };
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

function shareRight(head: Network, output: Features, labels: number[]): number {
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

/** Photo, caricature, and the avatar that is nearest to the photo for a network that knows people or traits. */
function createGrid({ source, target }: EvaluateTransferOptions, f: Network | undefined, photos: Int32Array, avatars: Int32Array, caricatures: Features): SampleGrid {
  const count = Math.min(GRID_IMAGES, photos.length);
  const shown = photos.subarray(0, count);
  const nearest = f ? nearestRows(computeFeatures(f, source, shown), computeFeatures(f, target, avatars)) : shown.map((_, k) => k % avatars.length);
  return {
    photos: source.batch(shown).images,
    caricatures: toPixels({ dataSync: () => caricatures.values.subarray(0, count * caricatures.size) }),
    beside: target.batch(Array.from(nearest, (i) => avatars[i]!)).images,
    count,
    shape: source.shape,
  };
}
