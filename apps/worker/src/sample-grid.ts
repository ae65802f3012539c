import type { SampleGrid } from '@caricature/models';
import sharp from 'sharp';

const TRIPLES_IN_A_ROW = 4;
const GAP = 4;
const SMALLEST_SIDE = 96;

/** Draws photo | caricature | what stands beside them, several triples in a row, as a PNG. Small images are enlarged so that they can be looked at. */
export async function drawSampleGrid({ photos, caricatures, beside, count, shape }: SampleGrid): Promise<Buffer> {
  const [height, width, channels] = shape;
  const scale = Math.max(1, Math.ceil(SMALLEST_SIDE / height));
  const columns = Math.min(TRIPLES_IN_A_ROW, count);
  const rows = Math.ceil(count / columns);
  const tripleWidth = width * 3 + GAP * 2;
  const gridWidth = columns * tripleWidth + (columns - 1) * GAP * 4;
  const gridHeight = rows * height + (rows - 1) * GAP;
  const pixels = Buffer.alloc(gridWidth * gridHeight * 3, 255);
  for (let i = 0; i < count; i++) {
    const left = (i % columns) * (tripleWidth + GAP * 4);
    const top = Math.floor(i / columns) * (height + GAP);
    [photos, caricatures, beside].forEach((images, k) => copyImage(images, i, left + k * (width + GAP), top));
  }
  return sharp(pixels, { raw: { width: gridWidth, height: gridHeight, channels: 3 } })
    .resize(gridWidth * scale, gridHeight * scale, { kernel: 'cubic' })
    .png()
    .toBuffer();

  function copyImage(images: Uint8Array, index: number, left: number, top: number): void {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const from = ((index * height + y) * width + x) * channels;
        const to = ((top + y) * gridWidth + left + x) * 3;
        for (let c = 0; c < 3; c++) pixels[to + c] = images[from + (channels === 3 ? c : 0)]!;
      }
    }
  }
}
