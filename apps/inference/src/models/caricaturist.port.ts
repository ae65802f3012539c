/** A model in memory. */
export interface Caricaturist {
  /** Side of the faces it takes and of the caricatures it gives, in pixels. */
  readonly imageSize: number;
  /** How much of a face's side belongs around it in a crop, as in the photos it learned from. */
  readonly margin: number;
  /** Faces (imageSize, imageSize, 3) uint8 → their caricatures, alike, in the same order. */
  draw(faces: Uint8Array[]): Promise<Uint8Array[]>;
  dispose(): void;
}

/** Loads the published model in a folder: `f/`, `g/` and `card.json`. */
export type CaricaturistLoader = (folder: string) => Promise<Caricaturist>;
