import type { Features } from '../dtn/features.js';
import { squaredDistance } from '../dtn/nearest.js';
import { eigenSymmetric, multiply, squareRoot, type SymmetricMatrix } from './matrix.js';

/**
 * Fréchet distance of two sets of feature vectors, each taken for a Gaussian: |μ₁ − μ₂|² + tr(C₁ + C₂ − 2 (C₁ C₂)^½). 0 for equal sets;
 * its unit is the features', so it compares only within one judge.
 */
export function frechetDistance(a: Features, b: Features): number {
  const [first, second] = [gaussian(a), gaussian(b)];
  const { size } = a;
  const root = squareRoot(first.covariance);
  // tr (C₁ C₂)^½ = tr (√C₁ C₂ √C₁)^½, and that product is symmetric.
  const { eigenvalues } = eigenSymmetric(multiply(multiply(root, second.covariance), root));
  let distance = 0;
  for (let i = 0; i < size; i++) {
    distance += (first.mean[i]! - second.mean[i]!) ** 2 + first.covariance.values[i * size + i]! + second.covariance.values[i * size + i]!;
    distance -= 2 * Math.sqrt(Math.max(0, eigenvalues[i]!));
  }
  return Math.max(0, distance);
}

/** Mean distance between the members of a set. */
export function meanPairwiseDistance({ values, size }: Features): number {
  const count = values.length / size;
  let sum = 0;
  for (let i = 0; i < count; i++) for (let j = i + 1; j < count; j++) sum += Math.sqrt(squaredDistance(values, i * size, values, j * size, size));
  return count > 1 ? sum / ((count * (count - 1)) / 2) : 0;
}

function gaussian({ values, size }: Features): { mean: Float64Array; covariance: SymmetricMatrix } {
  const count = values.length / size;
  const mean = new Float64Array(size);
  for (let i = 0; i < values.length; i++) mean[i % size]! += values[i]! / count;
  const covariance = new Float64Array(size * size);
  for (let r = 0; r < count; r++) {
    for (let i = 0; i < size; i++) {
      const centred = (values[r * size + i]! - mean[i]!) / Math.max(1, count - 1);
      for (let j = 0; j < size; j++) covariance[i * size + j]! += centred * (values[r * size + j]! - mean[j]!);
    }
  }
  return { mean, covariance: { size, values: covariance } };
}
