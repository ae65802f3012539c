import type { Random } from '@caricature/tensors';
import { type Colour, contrastingColours, css, mix } from './colour.js';
import { writeDigit } from './handwriting.js';
import type { Glyph, Typeface } from './typeface.js';

/** Side of the square that a scene is drawn in. */
export const SCENE_SIDE = 32;

/** A drawn digit in the style of house numbers: cluttered ground, neighbours at the sides, uneven light, blur. */
export interface Scene {
  readonly label: number;
  readonly svg: string;
  /** Pixels along a side of the sensor, where the picture was enlarged from a smaller one. */
  readonly grain: number | undefined;
  /** Standard deviation of the lens' blur, in pixels of a scene of SCENE_SIDE. */
  readonly blur: number;
  /** How far the picture is bent, in pixels of a scene of SCENE_SIDE: handwriting differs from print. */
  readonly bend: number;
  /** Standard deviation of the sensor's noise, in grey levels. */
  readonly noise: number;
}

/** Share of scenes on a plain ground, written rather than printed, so that a reader of digits leans neither on clutter nor on type. */
const PLAIN_SHARE = 0.35;
/** Share of those on a plain ground that are written stroke by stroke and not set in type. */
const HAND_SHARE = 0.6;
const LARGEST_BEND = 2.5;
const GRAINY_SHARE = 0.6;
const BARRED_SHARE = 0.5;
const LARGEST_TURN_DEGREES = 14;

/** Draws up a scene of the digit `label`; the same random state gives the same scene. */
export function createScene(label: number, typefaces: readonly Typeface[], random: Random): Scene {
  const typeface = typefaces[random.below(typefaces.length)]!;
  const plain = random.uniform() < PLAIN_SHARE;
  const hand = plain && random.uniform() < HAND_SHARE;
  const { ground, ink } = contrastingColours(random, plain && random.uniform() < 0.6);
  const grain = plain && random.uniform() < GRAINY_SHARE ? 9 + random.below(5) : undefined;
  const blur = random.uniform() < 0.3 ? 0 : random.between(0.2, plain && !grain ? 1.8 : 1);
  const body = [
    drawGround(ground, plain, random),
    plain ? '' : drawClutter(ground, ink, random),
    drawDigits(label, typeface, ink, { plain, hand, small: grain !== undefined }, random),
    plain ? '' : drawLight(random),
  ].join('');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SCENE_SIDE} ${SCENE_SIDE}">${body}</svg>`;
  return { label, svg, grain, blur, bend: random.between(0, plain ? LARGEST_BEND : 1), noise: random.between(0, grain ? 6 : 14) };
}

function drawGround(colour: Colour, plain: boolean, random: Random): string {
  const other = plain ? colour : mix(colour, [random.below(256), random.below(256), random.below(256)], random.between(0, 0.35));
  const angle = random.between(0, 360);
  return (
    `<linearGradient id="ground" gradientTransform="rotate(${fixed(angle)} .5 .5)"><stop stop-color="${css(colour)}"/><stop offset="1" stop-color="${css(other)}"/></linearGradient>` +
    `<rect width="${SCENE_SIDE}" height="${SCENE_SIDE}" fill="url(#ground)"/>`
  );
}

/** Planks, screws, shadows: shapes in colours near the ground's, some near the ink's. */
function drawClutter(ground: Colour, ink: Colour, random: Random): string {
  return Array.from({ length: random.below(6) }, () => {
    const colour = css(mix(ground, random.uniform() < 0.3 ? ink : [random.below(256), random.below(256), random.below(256)], random.between(0.15, 0.5)));
    const [x, y] = [random.between(-6, 38), random.between(-6, 38)];
    const turn = `transform="rotate(${fixed(random.between(0, 180))} ${fixed(x)} ${fixed(y)})"`;
    switch (random.below(3)) {
      case 0:
        return `<rect x="${fixed(x)}" y="${fixed(y)}" width="${fixed(random.between(3, 30))}" height="${fixed(random.between(1, 12))}" fill="${colour}" ${turn}/>`;
      case 1:
        return `<ellipse cx="${fixed(x)}" cy="${fixed(y)}" rx="${fixed(random.between(1, 10))}" ry="${fixed(random.between(1, 10))}" fill="${colour}" ${turn}/>`;
      default:
        return `<rect x="-20" y="${fixed(y)}" width="80" height="${fixed(random.between(0.4, 2))}" fill="${colour}" ${turn}/>`;
    }
  }).join('');
}

/** The digit in the middle and, mostly, one to its left and one to its right, in one line; on a plain ground more often alone, and wider. */
function drawDigits(label: number, typeface: Typeface, ink: Colour, { plain, hand, small }: { plain: boolean; hand: boolean; small: boolean }, random: Random): string {
  const neighbours = plain ? 0.1 : 0.7;
  const height = (small ? random.between(0.65, 0.95) : random.between(0.55, 0.9)) * SCENE_SIDE;
  const stretch = random.between(hand ? 0.55 : plain ? 0.7 : 0.85, plain ? 1.5 : 1.2);
  const glyphOf = (digit: number) => (hand ? writeDigit(digit, random) : typeface.digits[digit]!);
  const middle = glyphOf(label);
  const style = hand ? penStyle(ink, random) : inkStyle(ink, plain, random);
  const parts = [placeGlyph(middle, 0, height, stretch, style)];
  if (label === 7 && plain && !hand && random.uniform() < BARRED_SHARE) parts.push(drawBar(widthOf(middle, height, stretch), height, ink, random));
  for (const side of [-1, 1]) {
    if (random.uniform() >= neighbours) continue;
    const glyph = glyphOf(random.below(10));
    const gap = random.between(0.04, 0.3) * height;
    const offset = side * ((widthOf(middle, height, stretch) + widthOf(glyph, height, stretch)) / 2 + gap);
    parts.push(placeGlyph(glyph, offset, height, stretch, style));
  }
  const [dx, dy] = [random.between(-0.09, 0.09) * SCENE_SIDE, random.between(-0.09, 0.09) * SCENE_SIDE];
  const turn = random.between(-LARGEST_TURN_DEGREES, LARGEST_TURN_DEGREES);
  const place = `translate(${fixed(SCENE_SIDE / 2 + dx)} ${fixed(SCENE_SIDE / 2 + dy)}) rotate(${fixed(turn)}) skewX(${fixed(random.between(-1, 1) * (plain ? 20 : 12))})`;
  return drawShadow(parts, place, random) + `<g transform="${place}">${parts.join('')}</g>`;
}

/** Filled, some as outlines only; on a plain ground often with a broad pen. */
function inkStyle(ink: Colour, plain: boolean, random: Random): string {
  const colour = css(ink);
  if (!plain && random.uniform() < 0.12) return `fill="none" stroke="${colour}" stroke-width="${fixed(random.between(40, 90))}"`;
  const pen = plain && random.uniform() < 0.6 ? random.between(0, 90) : 0;
  return `fill="${colour}" stroke="${colour}" stroke-linejoin="round" stroke-width="${fixed(pen)}"`;
}

/** A round pen: from a ballpoint to a marker, in font units. */
function penStyle(ink: Colour, random: Random): string {
  return `fill="none" stroke="${css(ink)}" stroke-linejoin="round" stroke-linecap="round" stroke-width="${fixed(random.between(60, 280))}"`;
}

/** The bar that many hands put through a seven. */
function drawBar(width: number, height: number, ink: Colour, random: Random): string {
  const length = width * random.between(0.5, 0.9);
  const y = height * random.between(-0.08, 0.15);
  return `<line x1="${fixed(-length / 2)}" x2="${fixed(length / 2)}" y1="${fixed(y)}" y2="${fixed(y)}" stroke="${css(ink)}" stroke-width="${fixed(height * random.between(0.06, 0.12))}"/>`;
}

function drawShadow(parts: string[], place: string, random: Random): string {
  if (random.uniform() >= 0.2) return '';
  const [dx, dy] = [random.between(-1.5, 1.5), random.between(0.4, 1.8)];
  const dark = parts.map((part) => part.replace(/#[0-9a-f]{6}/g, '#000000')).join('');
  return `<g transform="translate(${fixed(dx)} ${fixed(dy)}) ${place}" opacity="${fixed(random.between(0.15, 0.45))}">${dark}</g>`;
}

/** A glyph of the given height, its middle at (offset, 0). */
function placeGlyph(glyph: Glyph, offset: number, height: number, stretch: number, style: string): string {
  const scale = scaleOf(glyph, height);
  const [x, y] = [glyph.left + glyph.width / 2, glyph.top + glyph.height / 2];
  return `<path transform="translate(${fixed(offset)} 0) scale(${(scale * stretch).toFixed(5)} ${scale.toFixed(5)}) translate(${fixed(-x)} ${fixed(-y)})" d="${glyph.outline}" ${style}/>`;
}

/** Wide digits are made smaller: the whole digit has to be in the picture. */
function scaleOf(glyph: Glyph, height: number): number {
  return Math.min(height / glyph.height, (0.8 * SCENE_SIDE) / glyph.width);
}

function widthOf(glyph: Glyph, height: number, stretch: number): number {
  return glyph.width * scaleOf(glyph, height) * stretch;
}

/** Light from one side. */
function drawLight(random: Random): string {
  const strength = random.between(0, 0.4);
  const tone = random.uniform() < 0.5 ? '#000000' : '#ffffff';
  return (
    `<linearGradient id="light" gradientTransform="rotate(${fixed(random.between(0, 360))} .5 .5)"><stop stop-color="${tone}" stop-opacity="${fixed(strength)}"/><stop offset="1" stop-color="${tone}" stop-opacity="0"/></linearGradient>` +
    `<rect width="${SCENE_SIDE}" height="${SCENE_SIDE}" fill="url(#light)"/>`
  );
}

function fixed(value: number): string {
  return value.toFixed(2);
}
