import { Random } from './random.js';
import type { Traits } from './traits.js';

/** What stays the same over all photos of a person. Lengths in units of a canvas of 100 × 100. */
export interface PersonIdentity {
  readonly traits: Traits;
  readonly skinColor: Rgb;
  readonly hairColor: Rgb;
  readonly irisColor: string;
  readonly lipColor: Rgb;
  readonly face: { readonly halfWidth: number; readonly halfHeight: number; readonly jaw: number; readonly chin: number };
  readonly eyes: { readonly y: number; readonly apart: number; readonly size: number; readonly slant: number };
  readonly nose: { readonly length: number; readonly width: number };
  readonly brows: { readonly height: number; readonly weight: number; readonly slant: number };
  readonly mouth: { readonly y: number; readonly width: number };
  /** Seeds of what is drawn by chance but must look alike in every photo: strands, curls, freckles. */
  readonly seed: string;
  readonly freckles: number;
  readonly frameStyle: number;
}

export type Rgb = readonly [red: number, green: number, blue: number];

const SKIN: readonly Rgb[] = [[248, 218, 198], [232, 184, 146], [204, 142, 98], [150, 92, 58], [88, 56, 40]];
const HAIR: readonly Rgb[] = [[26, 21, 22], [98, 60, 36], [218, 178, 104], [188, 66, 24], [190, 188, 186]];
const IRIS = ['#4a2e1a', '#3b2a20', '#3d6a8f', '#4f7a4a', '#6b6f73', '#7a5a2a'];

/** A person by number, the same for the same seed. Traits are spread as the avatar catalogs of both genders spread them. */
export function createPerson(seed: string | number, number: number): PersonIdentity {
  const random = new Random('person', seed, number);
  return createIdentity(drawTraits(random), `${seed}/${number}`);
}

/** A person with given traits; the seed decides everything else. */
export function createIdentity(traits: Traits, seed: string): PersonIdentity {
  const random = new Random('identity', seed);
  const skin = vary(random, SKIN[traits.skin]!, 5);
  return {
    traits,
    seed,
    skinColor: skin,
    hairColor: vary(random, HAIR[traits.hairColor]!, 7),
    irisColor: random.pick(IRIS),
    lipColor: [skin[0] * 0.66 + 58, skin[1] * 0.5 + 12, skin[2] * 0.5 + 14],
    face: { halfWidth: random.between(18.5, 23), halfHeight: random.between(25, 29), jaw: random.between(0.72, 1), chin: random.between(0.2, 0.5) },
    eyes: { y: random.between(-3.5, 0.5), apart: random.between(8.2, 10.4), size: random.between(2.9, 4), slant: random.between(-8, 8) },
    nose: { length: random.between(7, 11), width: random.between(2.4, 4.2) },
    brows: { height: random.between(5, 7), weight: random.between(1.1, 2.2), slant: random.between(-9, 9) },
    mouth: { y: random.between(13, 16), width: random.between(5.8, 8.2) },
    freckles: random.chance(0.2) ? Math.round(random.between(10, 24)) : 0,
    frameStyle: Math.floor(random.between(0, 3)),
  };
}

function drawTraits(random: Random): Traits {
  const bearded = random.chance(0.5);
  return {
    skin: random.weighted([1, 1, 1, 1, 1]),
    hairColor: random.weighted([1, 1, 1, 1, 1]),
    hair: random.weighted([0.16, 0.3, 0.28, 0.26]),
    glasses: random.weighted([0.4, 0.34, 0.26]),
    beard: bearded ? random.weighted([0.2, 0.4, 0.4]) : 0,
    mouth: random.weighted([1, 1, 1]),
  };
}

function vary(random: Random, color: Rgb, spread: number): Rgb {
  const lightness = random.normal(0, spread / 2);
  const change = (value: number) => Math.min(255, Math.max(0, value + lightness + random.normal(0, spread / 4)));
  return [change(color[0]), change(color[1]), change(color[2])];
}
