import { describe, expect, it } from 'vitest';
import type { Category } from './catalog.js';
import { combinationsOf, createSampler, type SampleSpace } from './sampling.js';

const categories = (...sizes: number[]): Category[] => sizes.map((size, i) => ({ key: `c${i}`, options: Array.from({ length: size }, (_, v) => 100 * i + v) }));
const draw = (spaces: SampleSpace[], count: number, seed = 1) => Array.from({ length: count }, (_, i) => createSampler(spaces, count, seed)(i));
const identity = ({ gender, parameters }: { gender?: string; parameters: object }) => JSON.stringify([gender, parameters]);

describe('createSampler', () => {
  it('draws every combination once when all are asked for', () => {
    const samples = draw([{ categories: categories(3, 4, 5) }], 60);
    expect(new Set(samples.map(identity)).size).toBe(60);
    expect(samples[0]!.parameters).toEqual({ c0: expect.any(Number), c1: expect.any(Number), c2: expect.any(Number) });
  });

  it('repeats nothing in a large space and takes every value about equally often', () => {
    const space = { categories: categories(16, 15, 14, 13, 12, 11, 10, 9, 8, 7) };
    const samples = draw([space], 3000);
    expect(combinationsOf([space])).toBe('29059430400');
    expect(new Set(samples.map(identity)).size).toBe(3000);
    const first = samples.filter(({ parameters }) => parameters['c9'] === 900).length;
    expect(Math.abs(first - 3000 / 7)).toBeLessThan(120);
  });

  it('takes turns between the genders until the smaller is used up', () => {
    const spaces: SampleSpace[] = [{ gender: 'male', categories: categories(10) }, { gender: 'female', categories: categories(4) }];
    const samples = draw(spaces, 14);
    expect(new Set(samples.map(identity)).size).toBe(14);
    expect(samples.map(({ gender }) => gender![0]).join('')).toBe('mfmfmfmfmmmmmm');
  });

  it('draws otherwise for another seed', () => {
    const spaces = [{ categories: categories(10, 10, 10) }];
    expect(draw(spaces, 20, 1)).toEqual(draw(spaces, 20, 1));
    expect(draw(spaces, 20, 1)).not.toEqual(draw(spaces, 20, 2));
  });

  it('counts beyond 2^53 exactly, and says when there are too few', () => {
    expect(combinationsOf([{ categories: categories(...Array<number>(30).fill(10)) }])).toBe(`1${'0'.repeat(30)}`);
    expect(() => createSampler([{ categories: categories(2, 3) }], 7, 1)).toThrow(
      expect.objectContaining({ code: 'TooFewCombinations', retryable: false, message: expect.stringContaining('only 6 combinations') }),
    );
  });
});
