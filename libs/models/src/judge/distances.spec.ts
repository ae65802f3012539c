import { Random } from '@caricature/tensors';
import { describe, expect, test } from 'vitest';
import { rankRows } from '../dtn/nearest.js';
import { frechetDistance, meanPairwiseDistance } from './distances.js';
import { multiply, squareRoot } from './matrix.js';
import { scoreTraits } from './trait-scores.js';

function gaussianRows(count: number, size: number, seed: number, mean: number, scale: number) {
  const random = new Random(seed);
  return { size, values: Float32Array.from({ length: count * size }, () => mean + scale * random.normal()) };
}

test('the square root of a symmetric matrix squares to it, at 128 dimensions too', () => {
  const size = 128;
  const { values } = gaussianRows(size, size, 1, 0, 1);
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) for (let k = 0; k < size; k++) matrix[i * size + j]! += (values[i * size + k]! * values[j * size + k]!) / size;
  const root = squareRoot({ size, values: matrix });
  multiply(root, root).values.forEach((value, i) => expect(value).toBeCloseTo(matrix[i]!, 6));
});

describe('the Fréchet distance', () => {
  test('is 0 between a set and itself', () => {
    const rows = gaussianRows(300, 8, 2, 0, 1);
    expect(frechetDistance(rows, rows)).toBeCloseTo(0, 6);
  });

  test('is that of the Gaussians it was drawn from', () => {
    // |μ₁ − μ₂|² + n (σ₁ − σ₂)² = 4 · 1 + 4 · 4
    expect(frechetDistance(gaussianRows(20_000, 4, 3, 0, 1), gaussianRows(20_000, 4, 4, 1, 3))).toBeCloseTo(20, -0.5);
  });
});

test('the mean pairwise distance of two points is their distance', () => {
  expect(meanPairwiseDistance({ size: 2, values: Float32Array.of(0, 0, 3, 4) })).toBe(5);
});

test('rows are ranked nearest first', () => {
  expect(rankRows({ size: 1, values: Float32Array.of(2.2) }, { size: 1, values: Float32Array.of(0, 3, 2, 9) }, 3)).toEqual([[2, 1, 0]]);
});

describe('trait scores', () => {
  test('count agreement, and chance from how often each value is there and read', () => {
    const scores = scoreTraits([[0, 1], [1, 1], [0, 0], [1, 0]], [[0, 1], [1, 0], [1, 0], [1, 1]], ['a', 'b']);
    expect(scores.traits.a).toEqual({ agreement: 0.75, chance: 0.25 * 0.5 + 0.75 * 0.5 });
    expect(scores.traitAgreement).toBe((0.75 + 0.5) / 2);
  });

  test('leave out what is unknown or does not apply', () => {
    const scores = scoreTraits([[0, 1], [1, 1], [0, 1]], [[-1, 0], [1, 1], [0, 1]], ['a', 'b'], (trait, traits) => trait !== 'b' || traits.b !== 0);
    expect(scores.traits.a!.agreement).toBe(1);
    expect(scores.traits.b!.agreement).toBe(1);
  });
});
