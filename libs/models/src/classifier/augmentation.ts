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
  for (let y = 0; y < height; y++) {
    const sy = Math.min(height - 1, Math.max(0, y + dy));
    for (let x = 0; x < width; x++) {
      const shifted = Math.min(width - 1, Math.max(0, x + dx));
      const sx = mirrored ? width - 1 - shifted : shifted;
      const from = (sy * width + sx) * channels;
      const to = (y * width + x) * channels;
      for (let c = 0; c < channels; c++) image[to + c] = source[from + c]!;
    }
  }
}

/** A 3 × 3 mean, edges left alone. */
function blur(image: Uint8Array, height: number, width: number, channels: number): void {
  const source = image.slice();
  const row = width * channels;
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * row + channels; i < (y + 1) * row - channels; i++) {
      let sum = 0;
      for (const j of [i - row, i, i + row]) sum += source[j - channels]! + source[j]! + source[j + channels]!;
      image[i] = sum / 9;
    }
  }
}

/** Light, contrast and channel gains, and in a quarter of the images only 4 to 8 tones a channel: one table a channel. */
function recolour(image: Uint8Array, channels: number, random: Random): void {
  const contrast = random.between(0.8, 1.25);
  const light = random.between(-25, 25);
  const tones = random.uniform() < 0.25 ? 4 + random.below(5) : 256;
  const tables = Array.from({ length: channels }, () => toneTable(contrast * random.between(0.92, 1.08), light, tones));
  for (let i = 0; i < image.length; i++) image[i] = tables[i % channels]![image[i]!]!;
}

function toneTable(gain: number, light: number, tones: number): Uint8ClampedArray {
  const step = 255 / (tones - 1);
  return Uint8ClampedArray.from({ length: 256 }, (_, value) => Math.round(((value - 128) * gain + 128 + light) / step) * step);
}
