import { parametersOfTraits } from './avatar.catalog.js';
import { avatarSvg, LEGACY_LIBRARY, type AvatarRequest, type Variation } from './avatar.drawing.js';
import { AVATAR_GENDERS, LIBRARY_STYLES } from './avatar.library.js';
import { PLACED_FEATURES, placesOfAvatar } from './avatar.places.js';
import { Random } from './random.js';
import { rasterize } from './raster.js';
import type { Traits } from './traits.js';

export interface MovedAvatars {
  count: number;
  /** Height and width of a picture. */
  size: number;
  pixels: Uint8Array; // (count, size, size, 3)
  /** Shares of width and height. */
  places: Float32Array; // (count, PLACED_FEATURES, 2): x, y
}

/** Each feature is moved by up to this share of the picture's width, each way. */
const FEATURE_MOVE = 0.08;
/** The whole avatar is moved by up to this share, and drawn larger or smaller by up to that one. */
const FRAME_MOVE = 0.1;
const FRAME_SCALE = 0.12;

/**
 * Avatars of random options whose features are moved about, each on its own, and where they have come to be: who learns to find features on these can
 * answer neither with a constant nor from the outline of the head. What covers a feature moves along with it (glasses with the eyes, a beard with the
 * mouth). The same seed gives the same avatars, and the first ones of a larger count are those of a smaller one.
 */
export function drawMovedAvatars({ count, size, seed }: { count: number; size: number; seed: number }): MovedAvatars {
  const pixels = new Uint8Array(count * size * size * 3);
  const places = new Float32Array(count * PLACED_FEATURES.length * 2);
  for (let index = 0; index < count; index++) {
    const random = new Random('moved avatars', seed, index);
    const request = createRequest(random);
    const variation = createVariation(random);
    pixels.set(drawPixels(request, size, variation), index * size * size * 3);
    places.set(toRow(request, variation), index * PLACED_FEATURES.length * 2);
  }
  return { count, size, pixels, places };
}

/** Where the avatar that shows these traits has its features: PLACED_FEATURES × (x, y), shares of width and height. It is upright and of middle width. */
export function placesOfTraits(traits: Traits): Float32Array {
  const face = LIBRARY_STYLES[LEGACY_LIBRARY].categories.male.find(({ key }) => key === 'face')!.options.find(({ widthFactor }) => widthFactor === 1)!.value;
  return toRow({ library: LEGACY_LIBRARY, gender: 'male', parameters: { ...parametersOfTraits(traits), face } }, {});
}

function createRequest(random: Random): AvatarRequest {
  const gender = random.pick(AVATAR_GENDERS);
  const parameters = Object.fromEntries(LIBRARY_STYLES[LEGACY_LIBRARY].categories[gender].map(({ key, options }) => [key, random.pick(options).value]));
  return { library: LEGACY_LIBRARY, gender, parameters };
}

function createVariation(random: Random): Required<Pick<Variation, 'moves' | 'frame'>> {
  const { x, y, size } = LIBRARY_STYLES[LEGACY_LIBRARY].frame;
  const move = (): [number, number] => [size * random.between(-FEATURE_MOVE, FEATURE_MOVE), size * random.between(-FEATURE_MOVE, FEATURE_MOVE)];
  const [eyes, eyebrows, nose, mouth] = [move(), move(), move(), move()];
  const shown = size * random.between(1 - FRAME_SCALE, 1 + FRAME_SCALE);
  const aside = () => (size - shown) / 2 + size * random.between(-FRAME_MOVE, FRAME_MOVE);
  return { moves: { eyes, accessories: eyes, eyebrows, nose, mouth, facialHair: mouth }, frame: { x: x + aside(), y: y + aside(), size: shown } };
}

function drawPixels(request: AvatarRequest, size: number, variation: Variation): Uint8Array {
  const { pixels } = rasterize(avatarSvg(request, size, size, variation), size);
  return Uint8Array.from({ length: size * size * 3 }, (_, k) => pixels[Math.floor(k / 3) * 4 + (k % 3)]!);
}

function toRow(request: AvatarRequest, variation: Pick<Variation, 'moves' | 'frame'>): Float32Array {
  const places = placesOfAvatar(request, variation);
  return Float32Array.from(PLACED_FEATURES.flatMap((feature) => places[feature]));
}
