import sharp from 'sharp';
import type { Sharp } from 'sharp';
import { PhotoError } from './photo.error.js';

/** What a photo may weigh and measure before anything of it is decoded. */
export interface PhotoLimits {
  maxBytes: number;
  maxPixels: number;
}

export const DEFAULT_PHOTO_LIMITS: PhotoLimits = { maxBytes: 20 * 1024 * 1024, maxPixels: 50_000_000 };

/** An RGB image in memory: `data` is (height, width, 3) uint8. */
export interface Pixels {
  data: Uint8Array;
  width: number;
  height: number;
}

/** A photo whose header was read and found good; `width` and `height` are those of the upright picture. */
export interface Photo {
  readonly width: number;
  readonly height: number;
  /** A new sharp pipeline that gives the picture upright, in sRGB, without transparency. */
  decode(): Sharp;
}

/** How each accepted format begins (hex); anything else never reaches a decoder. */
const SIGNATURES = [/^ffd8ff/, /^89504e470d0a1a0a/, /^52494646.{8}57454250/];
const WHITE = { r: 255, g: 255, b: 255 };

/**
 * Reads a photo's header and refuses what is not a JPEG, PNG or WebP picture or is too large to decode safely.
 * EXIF orientation is applied, so coordinates are those a person looking at the photo would give.
 */
export async function openPhoto(bytes: Buffer, limits: PhotoLimits = DEFAULT_PHOTO_LIMITS): Promise<Photo> {
  refuseHeavy(bytes, limits);
  refuseOtherFormats(bytes);
  // The pixel limit is checked below, where the message can say what to do.
  const header = await sharp(bytes, { limitInputPixels: false }).metadata().catch(refuseUnreadable);
  const { width, height } = header.autoOrient;
  if (width * height > limits.maxPixels) {
    throw new PhotoError(
      'TooLarge',
      `The photo has ${width}×${height} pixels, more than the ${limits.maxPixels / 1e6} million allowed; send a smaller one.`,
    );
  }
  const decode = (): Sharp =>
    sharp(bytes, { limitInputPixels: limits.maxPixels }).autoOrient().flatten({ background: WHITE }).toColourspace('srgb');
  return { width, height, decode };
}

/** Wraps pixels that are already in memory, so that they can be searched and cropped like any photo. */
export function photoOfPixels({ data, width, height }: Pixels): Photo {
  return { width, height, decode: () => sharp(data, { raw: { width, height, channels: 3 } }) };
}

/** Runs a pipeline of a photo to raw RGB; bytes that turn out damaged only now are refused as `NotAnImage`. */
export async function toPixels(pipeline: Sharp): Promise<Pixels> {
  const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true }).catch(refuseUnreadable);
  return { data, width: info.width, height: info.height };
}

function refuseHeavy(bytes: Buffer, limits: PhotoLimits): void {
  if (bytes.length <= limits.maxBytes) return;
  const megabytes = (count: number): string => (count / 1024 / 1024).toFixed(1);
  throw new PhotoError(
    'TooLarge',
    `The photo weighs ${megabytes(bytes.length)} MB, more than the ${megabytes(limits.maxBytes)} MB allowed; send a smaller one.`,
  );
}

function refuseOtherFormats(bytes: Buffer): void {
  const start = bytes.toString('hex', 0, 12);
  if (SIGNATURES.some((signature) => signature.test(start))) return;
  throw new PhotoError('NotAnImage', 'The photo is no JPEG, PNG or WebP picture; send one of these.');
}

function refuseUnreadable(cause: Error): never {
  throw new PhotoError(
    'NotAnImage',
    `The photo cannot be decoded (${cause.message.split('\n')[0]}); send a complete JPEG, PNG or WebP picture.`,
    { cause },
  );
}
