import type { Category } from './catalog.js';
import { CrawlError } from './crawl.error.js';
import { createPermutation } from './permutation.js';

export type Gender = 'male' | 'female';

/** What can be drawn: all combinations of the categories, for one gender where the API tells them apart. */
export interface SampleSpace {
  gender?: Gender;
  categories: Category[];
}

export interface Sample {
  /** Its number in the crawl, from 0. */
  index: number;
  gender?: Gender;
  /** A value for each category, in the catalog's order. */
  parameters: Record<string, number>;
}

/** How many combinations the categories have. Exceeds 2^53: a bigint. */
export function countCombinations(categories: readonly Category[]): bigint {
  return categories.reduce((product, { options }) => product * BigInt(options.length), 1n);
}

/** The sum over the spaces, in decimal. */
export function combinationsOf(spaces: readonly SampleSpace[]): string {
  return String(spaces.reduce((sum, { categories }) => sum + countCombinations(categories), 0n));
}

/** The combination at a mixed-radix index; the first category is the least significant digit. */
export function combinationAt(categories: readonly Category[], index: bigint): Record<string, number> {
  const parameters: Record<string, number> = {};
  let rest = index;
  for (const { key, options } of categories) {
    const radix = BigInt(options.length);
    parameters[key] = options[Number(rest % radix)]!;
    rest /= radix;
  }
  return parameters;
}

/**
 * Numbers the samples of one or two spaces: the n-th is always the same for a seed, and no two are alike. Two spaces take
 * turns, so that each gender is half of the images, until the smaller is used up.
 * @throws CrawlError `TooFewCombinations` when there are fewer than `count`
 */
export function createSampler(spaces: readonly SampleSpace[], count: number, seed: number): (index: number) => Sample {
  const combinations = combinationsOf(spaces);
  if (BigInt(combinations) < BigInt(count)) {
    throw new CrawlError('TooFewCombinations', `sampling.count is ${count}, but the catalog has only ${combinations} combinations. Lower it.`);
  }
  const sizes = spaces.map(({ categories }) => countCombinations(categories));
  const permutations = spaces.map(({ gender }, i) => createPermutation(sizes[i]!, `${seed}/${gender ?? ''}`));
  return (index) => {
    const { space, position } = place(sizes, BigInt(index));
    const { gender, categories } = spaces[space]!;
    const parameters = combinationAt(categories, permutations[space]!(position));
    return { index, ...(gender ? { gender } : {}), parameters };
  };
}

function place(sizes: readonly bigint[], index: bigint): { space: number; position: bigint } {
  const [first = 0n, second] = sizes;
  if (second === undefined) return { space: 0, position: index };
  const shared = first < second ? first : second;
  if (index < 2n * shared) return { space: Number(index % 2n), position: index / 2n };
  return { space: first > second ? 0 : 1, position: index - shared };
}
