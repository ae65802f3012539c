import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Dataset, Random, ShardWriter } from '@caricature/tensors';
import { describe, expect, test } from 'vitest';
import { saveNetwork } from '../export/layers-model.js';
import { toTensor } from '../images.js';
import { Network } from '../layers/network.js';
import { loadFrozen } from '../transfer/caricaturist.js';
import { evaluateTransfer } from './evaluate-transfer.js';
import { beliefOf, expectedDistance, GRID } from './place-distance.js';
import { readBeliefs } from './position-reader.js';
import { constantErrors, inPixels, scorePositions } from './position-scores.js';
import type { PlacedImages } from './position.task.js';
import { trainPositionReader } from './train-position-reader.js';

const NAMES = ['eyes', 'eyes', 'mouth'];

describe('the distance of a belief', () => {
  test('is exactly that of its place, between the cells too', () => {
    for (const [x, y] of [[0.5, 0.5], [0.31, 0.77], [0.046, 0.9]] as const) {
      expect(expectedDistance(beliefOf([x, y]), [x, y])).toBeCloseTo(0, 6);
      expect(expectedDistance(beliefOf([x, y]), [x + 0.1, y])).toBeCloseTo(0.1, 6);
    }
  });

  test('of one that knows nothing is that of a guess', () => {
    const blank = new Float32Array(GRID * GRID).fill(1 / GRID ** 2);
    // The mean distance of the points of a unit square from its centre.
    expect(expectedDistance(blank, [0.5, 0.5])).toBeCloseTo(0.3826, 1);
    expect(expectedDistance(blank, [0, 0])).toBeGreaterThan(0.7);
  });

  test('counts a second place by its probability', () => {
    const torn = beliefOf([0.25, 0.5]).map((p, cell) => 0.75 * p + 0.25 * beliefOf([0.75, 0.5])[cell]!);
    expect(expectedDistance(torn, [0.25, 0.5])).toBeCloseTo(0.25 * 0.5, 2);
  });
});

describe('position scores', () => {
  test('average features of one name, leave out what is unknown, and are told in pixels', () => {
    const beliefs = new Float32Array([...beliefOf([0.5, 0.5]), ...beliefOf([0.5, 0.5]), ...beliefOf([0.25, 0.25])]);
    const errors = scorePositions(beliefs, Float32Array.of(0.5, 0.6, 0.7, 0.5, NaN, NaN), NAMES);
    expect(errors).toEqual({ eyes: expect.closeTo(0.15, 5) });
    const scores = inPixels({ caricature: errors, photo: { eyes: 0.2 }, avatar: { eyes: 0.1 } }, 64);
    expect(scores).toMatchObject({ positionError: expect.closeTo(9.6, 4), positionErrorShare: expect.closeTo(0.15, 5), positionErrorPhoto: expect.closeTo(12.8, 4) });
    expect(scores.positions).toEqual({ eyes: { error: expect.closeTo(9.6, 4), photo: expect.closeTo(12.8, 4), avatar: expect.closeTo(6.4, 4) } });
  });

  test('a constant answer errs by the spread of the places', () => {
    expect(constantErrors(Float32Array.of(0, 0, 0, 0, 0.2, 0.5, 0, 0, 0, 0, 0.6, 0.5), NAMES)).toEqual({ eyes: 0, mouth: expect.closeTo(0.2, 6) });
  });
});

describe('the position reader', () => {
  test('finds marks that were put anywhere, and says of a blank picture that it found nothing; through it pictures are scored; the same seed gives the same reader', async () => {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'positions-'));
    try {
      const options = { training: marks(160, 1), heldOut: marks(40, 2), featureNames: NAMES, steps: 100, seed: 5 };
      const { metrics } = await trainPositionReader({ ...options, outputDir: path.join(folder, 'a') });
      expect(metrics.error).toBeLessThan(metrics.chance! / 4);
      const reader = await loadFrozen(path.join(folder, 'a', 'position-reader'));
      const blank = toTensor(new Uint8Array(32 * 32 * 3).fill(200), [32, 32, 3]).dataSync() as Float32Array;
      const unread = scorePositions(readBeliefs(reader, blank, [32, 32, 3]), Float32Array.of(0.5, 0.5, 0.5, 0.5, 0.5, 0.5), NAMES);
      for (const error of Object.values(unread)) expect(error).toBeGreaterThan(metrics.chance! / 2);
      reader.dispose();
      await scoreThrough(folder);
      const { metrics: again } = await trainPositionReader({ ...options, outputDir: path.join(folder, 'b') });
      expect(again).toEqual(metrics);
    } finally {
      await fs.rm(folder, { recursive: true, force: true });
    }
  }, 120_000);
});

/** Scores a model that changes nothing: its pictures are the photos, and right where the photos are. */
async function scoreThrough(folder: string): Promise<void> {
  const images = marks(24, 3);
  const dataset = await write(path.join(folder, 'images'), images);
  const copy = Network.create({ name: 'G', inputShape: [32, 32, 3], layers: [{ kind: 'conv', name: 'copy', filters: 3, kernel: 1, stride: 1, bias: false }] }, 'xavier', 1);
  copy.restore(new Map([['copy/kernel', { shape: [1, 1, 3, 3], values: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1) }]]));
  await saveNetwork(copy, path.join(folder, 'G'));
  const placesOf = (traits: ArrayLike<number>, aside: number) => (traits[0] === 0 ? undefined : images.places.slice(traits[0]! * 6, traits[0]! * 6 + 6).map((place, k) => place + (k % 2 === 0 ? aside : 0)));
  const score = async (aside: number) => {
    const positions = { readerDir: path.join(folder, 'a'), featureNames: NAMES, placesOf: (traits: ArrayLike<number>) => placesOf(traits, aside) };
    return (await evaluateTransfer({ source: dataset, target: dataset, transfer: [path.join(folder, 'G')], positions, images: 24, seed: 1 })).scores;
  };
  const right = await score(0);
  expect(right.positionError).toBeCloseTo(right.positionErrorPhoto!, 3);
  expect(right.positionErrorAvatar).toBeCloseTo(right.positionErrorPhoto!, 3);
  expect(Object.keys(right.positions!)).toEqual(['eyes', 'mouth']);
  const wrong = await score(0.25);
  expect(wrong.positionError! - right.positionError!).toBeGreaterThan(0.15 * 32);
  expect(wrong.positionErrorShare! * 32).toBeCloseTo(wrong.positionError!, 6);
  copy.dispose();
  dataset.close();
}

/** Images that are told apart by their only trait: their number. */
async function write(folder: string, { count, size, pixels }: PlacedImages): Promise<Dataset> {
  const writer = new ShardWriter({ folder, shape: [size, size, 3], labelNames: ['any'], traitNames: ['index'] });
  for (let i = 0; i < count; i++) await writer.add(pixels.slice(i * size * size * 3, (i + 1) * size * size * 3), 0, [i]);
  await writer.finish();
  return Dataset.open(folder);
}

/** Three marks of a colour each, each anywhere on a ground of any grey, and where they are. */
function marks(count: number, seed: number): PlacedImages {
  const size = 32;
  const random = new Random(seed, 77);
  const pixels = new Uint8Array(count * size * size * 3);
  const places = new Float32Array(count * 6);
  for (let i = 0; i < count; i++) {
    pixels.fill(120 + random.below(100), i * size * size * 3, (i + 1) * size * size * 3);
    for (const [f, colour] of [[220, 0, 0], [0, 200, 0], [0, 0, 220]].entries()) {
      const [x, y] = [4 + random.below(size - 8), 4 + random.below(size - 8)];
      places.set([(x + 0.5) / size, (y + 0.5) / size], i * 6 + 2 * f);
      for (let dy = -2; dy <= 2; dy++) for (let dx = -2; dx <= 2; dx++) pixels.set(colour, ((i * size + y + dy) * size + x + dx) * 3);
    }
  }
  return { count, size, pixels, places };
}
