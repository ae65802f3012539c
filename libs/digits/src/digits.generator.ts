import path from 'node:path';
import { Random, ShardWriter } from '@caricature/tensors';
import { photographScene } from './digit.photo.js';
import { createScene } from './digit.scene.js';
import { DigitsError } from './digits.error.js';
import { loadTypefaces } from './typeface.js';

export interface GenerateDigitsOptions {
  /** Pictures of all ten digits together. */
  count: number;
  seed: number;
  /** Width and height of a picture. */
  size: number;
  /** Receives the data sets `train/` and `heldout/`, labelled 0 to 9. */
  outDir: string;
  /** One picture of so many is held out; 8 unless told. */
  heldOutEvery?: number;
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
}

/** The names of the labels. */
export const DIGIT_NAMES = Array.from('0123456789');

const PROGRESS_EVERY = 200;

/**
 * Draws coloured digits in many typefaces on cluttered grounds, in the style of photographed house numbers. The same settings give the
 * same bytes. Rejects with DigitsError, or with the signal's reason when aborted.
 */
export async function generateDigits(options: GenerateDigitsOptions): Promise<{ train: number; heldOut: number; typefaces: number }> {
  checkSettings(options);
  const { count, seed, size, outDir, heldOutEvery = 8 } = options;
  const typefaces = loadTypefaces();
  const open = (name: string) => new ShardWriter({ folder: path.join(outDir, name), shape: [size, size, 3], labelNames: DIGIT_NAMES, imagesPerShard: 1000, from: { digits: count, seed } });
  const writers = { train: open('train'), heldOut: open('heldout') };
  for (let i = 0; i < count; i++) {
    const random = new Random(seed, i);
    const scene = createScene(random.below(10), typefaces, random);
    const writer = i % heldOutEvery === heldOutEvery - 1 ? writers.heldOut : writers.train;
    await writer.add(photographScene(scene, size, random), scene.label);
    if ((i + 1) % PROGRESS_EVERY !== 0 && i + 1 !== count) continue;
    options.signal?.throwIfAborted();
    options.onProgress?.(i + 1, count);
    // Signals and reports get their turn.
    await new Promise(setImmediate);
  }
  await writers.train.finish();
  await writers.heldOut.finish();
  return { train: writers.train.count, heldOut: writers.heldOut.count, typefaces: typefaces.length };
}

function checkSettings({ count, size, heldOutEvery = 8 }: GenerateDigitsOptions): void {
  const check = (ok: boolean, message: string) => {
    if (!ok) throw new DigitsError('INVALID_SETTINGS', message);
  };
  check(Number.isInteger(count) && count >= 20, `count must be a whole number from 20, not ${count}`);
  check(Number.isInteger(size) && size >= 16 && size <= 256, `size must be a whole number from 16 to 256 pixels, not ${size}`);
  check(Number.isInteger(heldOutEvery) && heldOutEvery >= 2, `heldOutEvery must be a whole number from 2, not ${heldOutEvery}`);
}
