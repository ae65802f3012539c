import type { Random } from '@caricature/tensors';

/** Red, green and blue, 0 to 255. */
export type Colour = readonly [number, number, number];

/** Grey levels between ground and ink, at least: fewer can hardly be read under noise. */
const LEAST_CONTRAST = 75;

/** Two colours whose lightness differs enough to read the one on the other; without hue when `grey`. */
export function contrastingColours(random: Random, grey: boolean): { ground: Colour; ink: Colour } {
  for (;;) {
    const [ground, ink] = [randomColour(random, grey), randomColour(random, grey)];
    if (Math.abs(lightness(ground) - lightness(ink)) >= LEAST_CONTRAST) return { ground, ink };
  }
}

/** The colour at `share` of the way from a to b. */
export function mix(a: Colour, b: Colour, share: number): Colour {
  const channel = (i: 0 | 1 | 2) => Math.round(a[i] + (b[i] - a[i]) * share);
  return [channel(0), channel(1), channel(2)];
}

export function css(colour: Colour): string {
  return `#${colour.map((c) => c.toString(16).padStart(2, '0')).join('')}`;
}

function randomColour(random: Random, grey: boolean): Colour {
  const channel = () => random.below(256);
  const level = channel();
  return grey ? [level, level, level] : [level, channel(), channel()];
}

/** Luma of ITU-R BT.601, 0 to 255. */
function lightness([red, green, blue]: Colour): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}
