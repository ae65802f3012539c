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

/** Images spread over a data set of `total`, the same at every sample. */
export function spreadIndices(total: number, wanted: number): number[] {
  const count = Math.min(wanted, total);
  return Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * total) / count));
}
