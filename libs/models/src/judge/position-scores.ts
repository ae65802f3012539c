import { expectedDistance, GRID } from './place-distance.js';

/** Mean distances of read from true places by feature, in shares of the picture's side. */
export type PositionErrors = Record<string, number>;

/** How far features are from where the avatar drawn from the person's true traits has them. */
export interface PositionScores {
  /** Mean over the features, in pixels and as a share of the picture's width. */
  positionError: number;
  positionErrorShare: number;
  /** What the photos themselves would have, in pixels: a model that changes nothing. */
  positionErrorPhoto: number;
  /** What real avatars have, in pixels, each against the one drawn from its own traits: as good as the reader can see. */
  positionErrorAvatar: number;
  /** By feature, in pixels. */
  positions: Record<string, { error: number; photo: number; avatar: number }>;
}

/** The errors (shares of a side) of three kinds of picture as scores in pixels. */
export function inPixels({ caricature, photo, avatar }: Record<'caricature' | 'photo' | 'avatar', PositionErrors>, width: number): PositionScores {
  return {
    positionError: meanError(caricature) * width,
    positionErrorShare: meanError(caricature),
    positionErrorPhoto: meanError(photo) * width,
    positionErrorAvatar: meanError(avatar) * width,
    positions: Object.fromEntries(Object.keys(caricature).map((name) => [name, { error: caricature[name]! * width, photo: photo[name]! * width, avatar: avatar[name]! * width }])),
  };
}

/**
 * @param beliefs what a reader says: [N, F, 256]
 * @param places where the features should be: [N, F, 2] (x, y); NaN where unknown, which is left out
 * @param names of the features; those of one name are averaged (both eyes)
 */
export function scorePositions(beliefs: Float32Array, places: Float32Array, names: string[]): PositionErrors {
  const sums = new Map<string, { sum: number; count: number }>();
  for (let k = 0; k < places.length / 2; k++) {
    const place = [places[2 * k]!, places[2 * k + 1]!] as const;
    if (Number.isNaN(place[0])) continue;
    const name = names[k % names.length]!;
    const { sum, count } = sums.get(name) ?? { sum: 0, count: 0 };
    sums.set(name, { sum: sum + expectedDistance(beliefs.subarray(k * GRID * GRID, (k + 1) * GRID * GRID), place), count: count + 1 });
  }
  return Object.fromEntries([...sums].map(([name, { sum, count }]) => [name, sum / count]));
}

/** Mean over the features. */
export function meanError(errors: PositionErrors): number {
  const values = Object.values(errors);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** What a reader reaches that answers every picture with the mean place of each feature. @param places [N, F, 2] */
export function constantErrors(places: Float32Array, names: string[]): PositionErrors {
  const features = names.length;
  const count = places.length / 2 / features;
  const errors: Record<string, { sum: number; count: number }> = {};
  names.forEach((name, f) => {
    const at = (i: number, axis: 0 | 1) => places[(i * features + f) * 2 + axis]!;
    const mean = ([0, 1] as const).map((axis) => Array.from({ length: count }, (_, i) => at(i, axis)).reduce((a, b) => a + b, 0) / count) as [number, number];
    const entry = (errors[name] ??= { sum: 0, count: 0 });
    for (let i = 0; i < count; i++) entry.sum += Math.hypot(at(i, 0) - mean[0], at(i, 1) - mean[1]);
    entry.count += count;
  });
  return Object.fromEntries(Object.entries(errors).map(([name, { sum, count: of }]) => [name, sum / of]));
}
