import { describe, expect, it } from 'vitest';
import { diversityOf } from './sample-grid.js';

/** Images of 2×2×3, each of one brightness. */
const images = (...levels: number[]) => Uint8Array.from(levels.flatMap((level) => Array.from({ length: 12 }, () => level)));
const aGrid = (caricatures: number[], beside: number[], photos = [0, 255, 0, 255]) => ({ caricatures: images(...caricatures), beside: images(...beside), photos: images(...photos), count: caricatures.length, shape: [2, 2, 3] as [number, number, number] });

describe('the diversity of a sample', () => {
  it.each([
    ['as diverse as real ones', [0, 100, 0, 100], [50, 150, 50, 150], 1],
    ['half as diverse', [0, 50, 0, 50], [50, 150, 50, 150], 0.5],
    ['all one picture', [70, 70, 70, 70], [50, 150, 50, 150], 0],
    ['measured by the photos, where all stand beside the same', [0, 255, 0, 255], [9, 9, 9, 9], 1],
  ])('of pictures that are %s', (_title, caricatures, beside, expected) => {
    expect(diversityOf(aGrid(caricatures, beside))).toBeCloseTo(expected, 10);
  });

  it('of a single picture is not known', () => {
    expect(diversityOf(aGrid([1], [2], [3]))).toBeUndefined();
  });
});
