import sharp from 'sharp';
import type { PersonIdentity } from './person.identity.js';
import type { Shot } from './person.shot.js';
import { personSvg } from './person.svg.js';
import { Random } from './random.js';
import { rasterize } from './raster.js';

/**
 * A photo-like picture of a person as a JPEG of `size` × `size` pixels. The same arguments give the same bytes.
 * The face fills the picture, as in a cropped photo.
 */
export async function drawPerson(person: PersonIdentity, shot: Shot, size: number): Promise<Buffer> {
  const raster = rasterize(personSvg(person, shot), size);
  const rgb = exposed(raster.pixels, shot, size);
  const raw = { raw: { width: size, height: size, channels: 3 as const } };
  const sigma = (shot.blurPixels * size) / 96;
  if (sigma < 0.3) return sharp(noisy(rgb, shot), raw).jpeg({ quality: shot.jpegQuality }).toBuffer();
  // The sensor's noise is not blurred with the lens, so it comes after.
  const blurred = await sharp(rgb, raw).blur(sigma).raw().toBuffer();
  return sharp(noisy(blurred, shot), raw).jpeg({ quality: shot.jpegQuality }).toBuffer();
}

/** Light from one side, exposure and white balance: RGBA (H, W, 4) → RGB (H, W, 3). */
function exposed(pixels: Buffer, shot: Shot, size: number): Buffer {
  const rgb = Buffer.alloc(size * size * 3);
  const gains = shot.whiteBalance.map((gain) => gain * shot.exposure);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const light = 1 + shot.lightStrength * shot.lightX * ((2 * x) / size - 1) - shot.lightStrength * 0.35 * ((2 * y) / size - 1);
      const at = y * size + x;
      for (let channel = 0; channel < 3; channel++) rgb[3 * at + channel] = clampByte(pixels[4 * at + channel]! * light * gains[channel]!);
    }
  }
  return rgb;
}

/** Grain, mostly of brightness, a little of colour. */
function noisy(rgb: Buffer, shot: Shot): Buffer {
  if (shot.noise === 0) return rgb;
  const random = new Random('noise', shot.seed);
  for (let at = 0; at < rgb.length; at += 3) {
    const grain = random.normal(0, shot.noise);
    const tint = (random.next() - 0.5) * shot.noise;
    rgb[at] = clampByte(rgb[at]! + grain + tint);
    rgb[at + 1] = clampByte(rgb[at + 1]! + grain);
    rgb[at + 2] = clampByte(rgb[at + 2]! + grain - tint);
  }
  return rgb;
}

function clampByte(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : Math.round(value);
}
