import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import opentype, { type PathCommand } from 'opentype.js';
import { DigitsError } from './digits.error.js';

/** A digit's outline in font units, y downwards. */
export interface Glyph {
  /** SVG path data. */
  readonly outline: string;
  /** Its bounding box. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** One weight and style of a family: the outlines of 0 to 9. */
export interface Typeface {
  readonly name: string;
  readonly digits: readonly Glyph[];
}

/** Families of the Open Font License from print, signs, typewriters and handwriting, each a package of its own. */
const FAMILIES = [
  'abril-fatface', 'alfa-slab-one', 'anton', 'architects-daughter', 'archivo-black', 'arvo', 'bangers', 'bebas-neue', 'cabin', 'caveat', 'comfortaa',
  'courier-prime', 'dosis', 'fredoka', 'inconsolata', 'indie-flower', 'kalam', 'lato', 'libre-baskerville', 'lobster', 'luckiest-guy', 'oswald', 'pacifico',
  'patrick-hand', 'permanent-marker', 'rajdhani', 'righteous', 'russo-one', 'special-elite', 'teko', 'ubuntu',
] as const;

/** Hairlines vanish at 32 pixels: lighter weights are left out. */
const LIGHTEST_WEIGHT = 300;
const LATIN = /-latin-(\d+)-(?:normal|italic)\.woff$/;

/** Every typeface of the installed families, always in the same order. Throws DigitsError MISSING_FONT. */
export function loadTypefaces(): Typeface[] {
  return FAMILIES.flatMap((family) => {
    const folder = findFamily(family);
    const files = readdirSync(folder).filter((file) => Number(LATIN.exec(file)?.[1] ?? 0) >= LIGHTEST_WEIGHT);
    return files.sort().map((file) => readTypeface(path.join(folder, file)));
  });
}

function findFamily(family: string): string {
  try {
    return path.join(path.dirname(createRequire(import.meta.url).resolve(`@fontsource/${family}/package.json`)), 'files');
  } catch {
    throw new DigitsError('MISSING_FONT', `@fontsource/${family} is not installed: run "npm ci"`);
  }
}

function readTypeface(file: string): Typeface {
  const bytes = readFileSync(file);
  const font = opentype.parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength), { lowMemory: true });
  const digits = Array.from('0123456789', (digit) => {
    const outline = font.getPath(digit, 0, 0, 1000);
    const { x1, y1, x2, y2 } = outline.getBoundingBox();
    return { outline: pathData(outline.commands), left: x1, top: y1, width: x2 - x1, height: y2 - y1 };
  });
  return { name: path.basename(file, '.woff'), digits };
}

/** In whole font units. opentype.js' own writer joins a number to a following one that rounds to minus zero. */
function pathData(commands: PathCommand[]): string {
  return commands.map(({ type, ...places }) => type + coordinates(places).map(Math.round).join(' ')).join('');
}

function coordinates(places: { x1?: number; y1?: number; x2?: number; y2?: number; x?: number; y?: number }): number[] {
  const { x1, y1, x2, y2, x, y } = places;
  return [x1, y1, x2, y2, x, y].filter((value) => value !== undefined);
}
