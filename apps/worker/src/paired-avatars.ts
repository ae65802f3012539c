import type { PairOf } from '@caricature/models';
import { drawAvatar, parametersOfTraits, TRAIT_NAMES, type Traits } from '@caricature/portraits';
import type { Dataset } from '@caricature/tensors';
import sharp from 'sharp';
import { ImpossibleError } from './stage.error.js';

/**
 * Draws the avatar that belongs to each photo, from the true traits of the person on it.
 * @throws ImpossibleError when the photos' true traits are not known: real photos have no pairs
 */
export async function drawPairs(photos: Dataset): Promise<PairOf> {
  const { traits } = photos;
  if (!traits || traits.length === 0 || traits.some((value) => value < 0)) {
    throw new ImpossibleError('spec.source.photos.uri: Pix2Pix learns from pairs, and these photos have no avatars of their own: use synthetic://people, whose pairs are known, or the architecture DTN or CycleGAN, which need none');
  }
  const avatars = new Map<string, Uint8Array>();
  for (let i = 0; i < photos.count; i++) {
    const row = photos.traitsOf(i)!;
    const key = row.join();
    if (!avatars.has(key)) avatars.set(key, await drawTraits(row, photos.shape));
  }
  return (image) => avatars.get(photos.traitsOf(image)!.join())!;
}

async function drawTraits(row: Int32Array, [height, width]: Dataset['shape']): Promise<Uint8Array> {
  const traits = Object.fromEntries(TRAIT_NAMES.map((name, t) => [name, row[t]!])) as Traits;
  const png = drawAvatar({ library: 'bitmoji', gender: 'male', parameters: parametersOfTraits(traits) }, width, height);
  return sharp(png).flatten({ background: '#ffffff' }).toColourspace('srgb').raw().toBuffer();
}
