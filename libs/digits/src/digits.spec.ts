import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Dataset, Random } from '@caricature/tensors';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contrastingColours } from './colour.js';
import { photographScene } from './digit.photo.js';
import { createScene } from './digit.scene.js';
import { generateDigits } from './digits.generator.js';
import { writeDigit } from './handwriting.js';
import { loadTypefaces } from './typeface.js';
import { warp } from './warp.js';

let folder: string;
beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'digits-'));
});
afterAll(() => fs.rm(folder, { recursive: true, force: true }));

describe('drawn digits', () => {
  const typefaces = loadTypefaces();

  test('are training data of all ten labels, one in eight held out, the same bytes for the same seed', async () => {
    const read = async (name: string, seed: number) => {
      await generateDigits({ count: 80, seed, size: 32, outDir: path.join(folder, name) });
      const [train, heldOut] = [await Dataset.open(path.join(folder, name, 'train')), await Dataset.open(path.join(folder, name, 'heldout'))];
      expect([train.count, heldOut.count, train.shape]).toEqual([70, 10, [32, 32, 3]]);
      const result = { images: train.batch(Array.from({ length: 70 }, (_, i) => i)).images, labels: new Set(train.labels) };
      train.close();
      heldOut.close();
      return result;
    };
    const first = await read('a', 1);
    expect(first.labels.size).toBe(10);
    expect(await read('b', 1)).toEqual(first);
    expect((await read('c', 2)).images).not.toEqual(first.images);
  }, 180_000);

  test('show their label: the same scene with another digit is another picture, far beyond the noise', () => {
    expect(typefaces.length).toBeGreaterThan(60);
    const photo = (label: number, sensor: number) => photographScene({ ...createScene(label, typefaces, new Random(5)), grain: undefined, blur: 0, bend: 0, noise: 2 }, 32, new Random(sensor));
    const apart = (a: Uint8Array, b: Uint8Array) => a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0);
    expect(apart(photo(1, 1), photo(8, 1))).toBeGreaterThan(2 * apart(photo(8, 1), photo(8, 2)));
  });

  test('have outlines that lie within their boxes, in every typeface', () => {
    for (const { name, digits } of typefaces) {
      for (const { outline, left, top, width, height } of digits) {
        const numbers = outline.match(/-?\d+/g)!.map(Number);
        const beyond = numbers.filter((value, i) => (i % 2 === 0 ? value < left - 60 || value > left + width + 60 : value < top - 60 || value > top + height + 60));
        expect(beyond, name).toEqual([]);
      }
    }
  });

  test('are refused with a size, number or share that cannot be drawn', async () => {
    await expect(generateDigits({ count: 5, seed: 1, size: 32, outDir: folder })).rejects.toThrow(/count must be a whole number from 20, not 5/);
    await expect(generateDigits({ count: 50, seed: 1, size: 8, outDir: folder })).rejects.toThrow(/size must be/);
  });

  test('stop when told to', async () => {
    await expect(generateDigits({ count: 400, seed: 1, size: 32, outDir: path.join(folder, 'stopped'), signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  });
});

describe('a digit written by hand', () => {
  const strokesOf = (digit: number, seed: number) => writeDigit(digit, new Random(seed)).outline.split('M').slice(1).map((stroke) => stroke.match(/[-\d.]+/g)!.map(Number));

  test('is another each time, and lies within its box', () => {
    for (let digit = 0; digit < 10; digit++) {
      const { left, top, width, height } = writeDigit(digit, new Random(digit));
      expect(strokesOf(digit, digit)).not.toEqual(strokesOf(digit, digit + 10));
      for (const stroke of strokesOf(digit, digit)) {
        const [x, y] = stroke.slice(-2) as [number, number];
        expect([x >= left - 1, x <= left + width + 1, y >= top - 1, y <= top + height + 1]).toEqual([true, true, true, true]);
      }
    }
  });

  test('has strokes that meet where the pen only turned, however the hand wavers', () => {
    for (let seed = 0; seed < 20; seed++) {
      const strokes = strokesOf(5, seed);
      strokes.slice(1).forEach((stroke, k) => expect(stroke.slice(0, 2)).toEqual(strokes[k]!.slice(-2)));
    }
  });
});

test('ink and ground can be told apart by their lightness alone', () => {
  for (let i = 0; i < 50; i++) {
    const { ground, ink } = contrastingColours(new Random(i), i % 2 === 0);
    const light = ([r, g, b]: readonly [number, number, number]) => 0.299 * r + 0.587 * g + 0.114 * b;
    expect(Math.abs(light(ground) - light(ink))).toBeGreaterThanOrEqual(75);
  }
});

test('bending moves no pixel farther than it may, and leaves a plain picture plain', () => {
  const plain = new Float32Array(16 * 16 * 3).fill(7);
  for (const value of warp(plain, 16, 3, new Random(1))) expect(value).toBeCloseTo(7, 4);
  // Half black, half white: columns farther than the reach from the border keep their colour.
  const halves = Float32Array.from({ length: 16 * 16 * 3 }, (_, i) => (Math.floor(i / 3) % 16 < 8 ? 0 : 255));
  const bent = warp(halves, 16, 3, new Random(2));
  bent.forEach((value, i) => {
    const x = Math.floor(i / 3) % 16;
    if (x < 4) expect(value).toBe(0);
    if (x > 11) expect(value).toBe(255);
  });
  expect(bent).not.toEqual(halves);
});
