import type { Features } from './features.js';

/** For each row of `queries` the index of the row of `gallery` at the smallest Euclidean distance. */
export function nearestRows(queries: Features, gallery: Features): Int32Array {
  return Int32Array.from(rankRows(queries, gallery, 1), (ranked) => ranked[0]!);
}

/** For each row of `queries` the indices of the `count` nearest rows of `gallery`, nearest first. */
export function rankRows(queries: Features, gallery: Features, count: number): number[][] {
  const { size } = queries;
  const galleryCount = gallery.values.length / size;
  return Array.from({ length: queries.values.length / size }, (_, q) => {
    const distances = Float64Array.from({ length: galleryCount }, (_, r) => squaredDistance(queries.values, q * size, gallery.values, r * size, size));
    const taken: number[] = [];
    while (taken.length < Math.min(count, galleryCount)) {
      const best = distances.indexOf(distances.reduce((a, b) => Math.min(a, b), Infinity));
      taken.push(best);
      distances[best] = Infinity;
    }
    return taken;
  });
}

export function squaredDistance(a: Float32Array, aStart: number, b: Float32Array, bStart: number, size: number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += (a[aStart + i]! - b[bStart + i]!) ** 2;
  return sum;
}
