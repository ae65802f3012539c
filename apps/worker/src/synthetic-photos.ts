import { generatePeople } from '@caricature/portraits';
import { ImpossibleError } from './stage.error.js';

export interface SyntheticPeople {
  people: number;
  imagesPerPerson: number;
  seed: number;
}

const LIMITS = { count: 10_000, images: 10_000, seed: 2_147_483_647 };

/**
 * Reads `synthetic://people?count=120&images=30&seed=1`, the address of people that are drawn instead of photographed.
 * @throws ImpossibleError that names what is wrong with it
 */
export function parseSyntheticUri(uri: string): SyntheticPeople {
  const url = new URL(uri);
  const number = (name: keyof typeof LIMITS, fallback: number): number => {
    const value = Number(url.searchParams.get(name) ?? fallback);
    if (!Number.isInteger(value) || value < 1 || value > LIMITS[name]) {
      throw new ImpossibleError(`spec.source.photos.uri: ${name} must be a whole number from 1 to ${LIMITS[name]}`);
    }
    return value;
  };
  for (const key of url.searchParams.keys()) {
    if (!(key in LIMITS)) throw new ImpossibleError(`spec.source.photos.uri: unknown setting ${key}; there are ${Object.keys(LIMITS).join(', ')}`);
  }
  return { people: number('count', 100), imagesPerPerson: number('images', 30), seed: number('seed', 1) };
}

/** Draws the people into a folder, going on where an earlier attempt stopped. */
export async function drawPeople(people: SyntheticPeople, size: number, outDir: string, signal: AbortSignal, onProgress: (done: number, total: number) => void): Promise<void> {
  await generatePeople({ ...people, size, outDir, signal, onProgress: ({ done, total }) => onProgress(done, total) });
}
