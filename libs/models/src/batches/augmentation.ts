import { Random } from '@caricature/tensors';

/** Whether images are changed before f sees them, and whether a mirror image has the same label: a face has, a digit has not. */
export type Augmentation = 'none' | 'mirrored' | 'upright';

/**
 * Changes every image of a batch at random before f sees it: mirror (unless upright), small shift, light, channel gains, blur, and few tones. The
 * last two take shading and texture away, so f learns to read drawn faces too though it is taught on photos' names only
 * (domain randomisation).
 * @param images uint8 [B, H, W, C], changed in place
 */
export function augment(images: Uint8Array, [height, width, channels]: [number, number, number], random: Random, kind: 'mirrored' | 'upright'): void {
  const size = height * width * channels;
  for (let start = 0; start < images.length; start += size) {
    const image = images.subarray(start, start + size);
    move(image, height, width, channels, random, kind === 'mirrored');
    if (random.uniform() < 0.3) blur(image, height, width, channels);
    recolour(image, channels, random);
  }
}

/** Mirrors half of the images, if they may be, and shifts, repeating the edge. */
function move(image: Uint8Array, height: number, width: number, channels: number, random: Random, mirror: boolean): void {
  const reach = Math.max(1, Math.round(height / 24));
  const dx = random.below(2 * reach + 1) - reach;
  const dy = random.below(2 * reach + 1) - reach;
  const mirrored = random.uniform() < 0.5 && mirror;
  const source = image.slice();
  const row = width * channels;
  // Where each value of a row comes from: the same in all rows.
  const columns = new Int32Array(row);
  for (let i = 0; i < row; i++) {
    const shifted = clamp(Math.floor(i / channels) + dx, width);
    columns[i] = (mirrored ? width - 1 - shifted : shifted) * channels + (i % channels);
  }
  for (let y = 0; y < height; y++) {
    const from = clamp(y + dy, height) * row;
    const to = y * row;
    for (let i = 0; i < row; i++) image[to + i] = source[from + columns[i]!]!;
  }
}

function clamp(index: number, size: number): number {
  return Math.min(size - 1, Math.max(0, index));
}

/** A 3 × 3 mean, edges left alone. */
function blur(image: Uint8Array, height: number, width: number, channels: number): void {
  const source = image.slice();
  const row = width * channels;
  const sums = new Int32Array(row);
  for (let y = 1; y < height - 1; y++) {
    const start = y * row;
    for (let i = 0; i < row; i++) sums[i] = source[start - row + i]! + source[start + i]! + source[start + row + i]!;
    for (let i = channels; i < row - channels; i++) image[start + i] = (sums[i - channels]! + sums[i]! + sums[i + channels]!) / 9;
  }
}

/** Light, contrast and channel gains, and in a quarter of the images only 4 to 8 tones a channel: one table a channel. */
function recolour(image: Uint8Array, channels: number, random: Random): void {
  const contrast = random.between(0.8, 1.25);
  const light = random.between(-25, 25);
  const tones = random.uniform() < 0.25 ? 4 + random.below(5) : 256;
  for (let channel = 0; channel < channels; channel++) {
    const table = toneTable(contrast * random.between(0.92, 1.08), light, tones);
    for (let i = channel; i < image.length; i += channels) image[i] = table[image[i]!]!;
  }
}

function toneTable(gain: number, light: number, tones: number): Uint8ClampedArray {
  const step = 255 / (tones - 1);
  const table = new Uint8ClampedArray(256);
  for (let value = 0; value < 256; value++) table[value] = Math.round(((value - 128) * gain + 128 + light) / step) * step;
  return table;
}
