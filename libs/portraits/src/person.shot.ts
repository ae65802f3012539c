import { type DrawingStyle, drawStyle, NATURAL } from './person.style.js';
import { Random } from './random.js';

/** What changes from photo to photo: pose, light, camera and surroundings. */
export interface Shot {
  /** Drawn with flat colours on a plain ground: a share of such photos teaches f to see faces in drawings as well. */
  readonly flat: boolean;
  /** Drawings differ as their draughtsmen do; photos do not. */
  readonly style: DrawingStyle;
  readonly x: number; // of the face's centre, canvas of 100 × 100
  readonly y: number;
  readonly scale: number;
  readonly rollDegrees: number;
  /** −1 … 1: the face turned to the left … right, or down … up. */
  readonly yaw: number;
  readonly pitch: number;
  readonly smileFactor: number; // how strongly the person's mouth shows
  readonly gaze: number;
  readonly lidFactor: number;
  readonly lightX: number; // −1 … 1, where the light comes from
  readonly lightStrength: number;
  readonly exposure: number;
  readonly whiteBalance: readonly [red: number, green: number, blue: number];
  readonly blurPixels: number; // at 96 pixels
  readonly noise: number; // standard deviation, of 255
  readonly jpegQuality: number;
  readonly background: readonly string[];
  readonly clothing: string;
  readonly seed: string;
}

/** f must read drawings as well as photos, so more than half of what it learns from are drawings, in many styles. */
export const FLAT_SHARE = 0.6;

const PLAIN = ['#ffffff', '#ffffff', '#f4f4f2', '#eef2f7', '#f7f0e6'];

/** A photo by number of a person by seed, the same for the same arguments. `flatShare` of them are flat. */
export function createShot(seed: string, number: number, flatShare = FLAT_SHARE): Shot {
  const random = new Random('shot', seed, number);
  const flat = random.chance(flatShare);
  const calm = flat ? 0.4 : 1;
  return {
    flat,
    style: flat ? drawStyle(new Random('style', seed, number)) : NATURAL,
    seed: `${seed}/${number}`,
    x: 50 + random.normal(0, 2.2) * calm,
    y: 47 + random.normal(0, flat ? 2.5 : 2),
    scale: flat ? random.between(0.92, 1.16) : random.between(1.0, 1.16),
    rollDegrees: random.normal(0, 7) * calm,
    yaw: clamp(random.normal(0, 0.45) * calm),
    pitch: clamp(random.normal(0, 0.35) * calm),
    smileFactor: random.between(0.85, 1.2),
    gaze: random.between(-1, 1),
    lidFactor: random.between(0.75, 1.05),
    lightX: random.between(-1, 1),
    lightStrength: flat ? 0 : random.between(0.08, 0.3),
    exposure: flat ? 1 : random.between(0.86, 1.07),
    whiteBalance: flat ? [1, 1, 1] : whiteBalance(random),
    blurPixels: flat || random.chance(0.4) ? 0 : random.between(0.35, 0.9),
    noise: flat ? 0 : random.between(2, 8),
    jpegQuality: Math.round(random.between(70, 93)),
    background: flat ? [random.pick(PLAIN)] : Array.from({ length: 5 }, () => color(random)),
    clothing: color(random),
  };
}

/** Warm to cold and green to magenta, small enough that blonde stays blonde. */
function whiteBalance(random: Random): [number, number, number] {
  const warmth = random.normal(0, 0.045);
  return [1 + warmth, 1 + random.normal(0, 0.02), 1 - warmth];
}

function color(random: Random): string {
  return `hsl(${Math.round(random.between(0, 360))},${Math.round(random.between(15, 65))}%,${Math.round(random.between(25, 72))}%)`;
}

function clamp(value: number): number {
  return Math.max(-1, Math.min(1, value));
}
