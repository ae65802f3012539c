import { Random } from '@caricature/tensors';
import { describe, expect, it } from 'vitest';
import { augment, type Augmentation } from './augmentation.js';

const SHAPE: [number, number, number] = [24, 48, 3];

/** Images that get brighter to the right, three levels a column, in each channel, and nowhere so bright or dark that a change of light clips them. */
function ramps(count: number): Uint8Array {
  const [height, width, channels] = SHAPE;
  return Uint8Array.from({ length: count * height * width * channels }, (_, i) => 60 + 3 * (Math.floor(i / channels) % width));
}

function changed(count: number, kind: Exclude<Augmentation, 'none'>): Uint8Array[] {
  const images = ramps(count);
  augment(images, SHAPE, new Random(7), kind);
  const size = images.length / count;
  return Array.from({ length: count }, (_, i) => images.subarray(i * size, (i + 1) * size));
}

/** A row's values in one channel. */
const rowOf = (image: Uint8Array, y: number, channel: number) => Array.from({ length: SHAPE[1] }, (_, x) => image[(y * SHAPE[1] + x) * 3 + channel]!);
const rises = (values: number[]) => values.every((value, i) => i === 0 || value >= values[i - 1]!);
const falls = (values: number[]) => rises(values.toReversed());

describe('augment', () => {
  it('mirrors about half of the images that may be mirrored', () => {
    const images = changed(200, 'mirrored');
    const mirrored = images.filter((image) => falls(rowOf(image, 12, 1)));
    expect(images.filter((image) => rises(rowOf(image, 12, 1)))).toHaveLength(images.length - mirrored.length);
    expect(mirrored.length).toBeGreaterThan(70);
    expect(mirrored.length).toBeLessThan(130);
  });

  it('never mirrors upright ones', () => {
    for (const image of changed(200, 'upright')) for (const channel of [0, 1, 2]) expect(rises(rowOf(image, 12, channel))).toBe(true);
  });

  it('moves by at most a 24th of the height, and repeats the edge', () => {
    // Where tones were taken away, neighbouring columns are alike anyway.
    for (const image of changed(50, 'upright')) {
      const row = rowOf(image, 12, 0);
      const flatLeft = row.findIndex((value) => value !== row[0]!);
      if (new Set(row).size > 20) expect(flatLeft).toBeLessThanOrEqual(2);
    }
  });

  it('leaves few tones to about a quarter, and gives the channels gains of their own', () => {
    const tones = changed(200, 'upright').map((image) => new Set(image.filter((_, i) => i % 3 === 0)).size);
    const few = tones.filter((count) => count <= 8).length;
    expect(few).toBeGreaterThan(25);
    expect(few).toBeLessThan(80);
    expect(changed(20, 'upright').some((image) => rowOf(image, 3, 0).join() !== rowOf(image, 3, 2).join())).toBe(true);
  });

  it('is the same for the same random numbers', () => {
    expect(changed(10, 'mirrored')).toEqual(changed(10, 'mirrored'));
  });
});
