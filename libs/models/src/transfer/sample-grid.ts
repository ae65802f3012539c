/** Pictures to look at, in triples. */
export interface SampleGrid {
  /** uint8 [count, H, W, C]: photos, their caricatures, and what stands beside them. */
  photos: Uint8Array;
  caricatures: Uint8Array;
  /** The avatars nearest to the photos in f's space (DTN), the true pairs (Pix2Pix), or the photos drawn back from the caricatures (CycleGAN). */
  beside: Uint8Array;
  count: number;
  shape: [number, number, number];
}

/**
 * How much the caricatures differ among themselves, as a share of what stands beside them does (the photos, where that is all the same):
 * near 1 when they are as diverse, near 0 when they are all one picture. Undefined for fewer than two.
 */
export function diversityOf({ caricatures, beside, photos, count }: SampleGrid): number | undefined {
  if (count < 2) return undefined;
  const expected = meanDistance(beside, count) || meanDistance(photos, count);
  return expected > 0 ? meanDistance(caricatures, count) / expected : undefined;
}

/** The mean over all pairs of images of the root of their mean squared difference. */
function meanDistance(images: Uint8Array, count: number): number {
  const size = images.length / count;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      let squares = 0;
      for (let k = 0; k < size; k++) squares += (images[i * size + k]! - images[j * size + k]!) ** 2;
      sum += Math.sqrt(squares / size);
    }
  }
  return sum / ((count * (count - 1)) / 2);
}

/** Images spread over a data set of `total`, the same at every sample. */
export function spreadIndices(total: number, wanted: number): number[] {
  const count = Math.min(wanted, total);
  return Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * total) / count));
}
