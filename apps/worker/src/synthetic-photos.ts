import { generateDigits } from '@caricature/digits';
import { generatePeople } from '@caricature/portraits';
import { ImpossibleError } from './stage.error.js';

export interface SyntheticPeople {
  people: number;
  imagesPerPerson: number;
  seed: number;
}

const PEOPLE_LIMITS = { count: 10_000, images: 10_000, seed: 2_147_483_647 };
const DIGIT_LIMITS = { count: 1_000_000, seed: 2_147_483_647 };

/**
 * Reads `synthetic://people?count=120&images=30&seed=1`, the address of people that are drawn instead of photographed.
 * @throws ImpossibleError that names what is wrong with it
 */
export function parseSyntheticUri(uri: string): SyntheticPeople {
  const { count = 100, images = 30, seed = 1 } = readSettings(uri, PEOPLE_LIMITS);
  return { people: count, imagesPerPerson: images, seed };
}

/** Whether the address is one of drawn digits, such as `synthetic://digits?count=24000&seed=1`. */
export function isDigitsUri(uri: string): boolean {
  return URL.canParse(uri) && new URL(uri).protocol === 'synthetic:' && new URL(uri).host === 'digits';
}

/** Draws digits as training data, `outDir/train` and `outDir/heldout`. Throws ImpossibleError for an address that it cannot read. */
export async function drawDigits(uri: string, size: number, outDir: string, signal: AbortSignal, onProgress: (done: number, total: number) => void): Promise<{ train: number; heldOut: number }> {
  const { count = 24_000, seed = 1 } = readSettings(uri, DIGIT_LIMITS);
  return generateDigits({ count, seed, size, outDir, signal, onProgress }).catch((error: Error & { code?: string }) => {
    throw error.code === 'INVALID_SETTINGS' ? new ImpossibleError(`spec.source.photos.uri: ${error.message}`) : error;
  });
}

function readSettings<Name extends string>(uri: string, limits: Record<Name, number>): Partial<Record<Name, number>> {
  const settings: Partial<Record<Name, number>> = {};
  for (const [key, text] of new URL(uri).searchParams) {
    if (!(key in limits)) throw new ImpossibleError(`spec.source.photos.uri: unknown setting ${key}; there are ${Object.keys(limits).join(', ')}`);
    const name = key as Name;
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1 || value > limits[name]) throw new ImpossibleError(`spec.source.photos.uri: ${name} must be a whole number from 1 to ${limits[name]}`);
    settings[name] = value;
  }
  return settings;
}

/** Draws the people into a folder, going on where an earlier attempt stopped. */
export async function drawPeople(people: SyntheticPeople, size: number, outDir: string, signal: AbortSignal, onProgress: (done: number, total: number) => void): Promise<void> {
  await generatePeople({ ...people, size, outDir, signal, onProgress: ({ done, total }) => onProgress(done, total) });
}
