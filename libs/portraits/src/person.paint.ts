import type { Rgb } from './person.identity.js';
import type { Shot } from './person.shot.js';

/** Lighter (factor > 1) or darker. */
export function shade([red, green, blue]: Rgb, factor: number): string {
  const channel = (value: number) => Math.round(Math.min(255, Math.max(0, value * factor)));
  return `rgb(${channel(red)},${channel(green)},${channel(blue)})`;
}

export function n(value: number): string {
  return value.toFixed(2);
}

export function ellipse(cx: number, cy: number, rx: number, ry: number, attributes: string): string {
  return `<ellipse cx="${n(cx)}" cy="${n(cy)}" rx="${n(rx)}" ry="${n(ry)}" ${attributes}/>`;
}

export function path(d: string, attributes: string): string {
  return `<path d="${d}" ${attributes}/>`;
}

/** The gradients that a photo is shaded with; a flat drawing fills with the plain colours instead. */
export class Palette {
  private readonly definitions: string[] = [];

  constructor(private readonly shot: Shot) {}

  /** A rounded thing lit from the light's side. */
  round(id: string, color: Rgb, depth = 0.32): string {
    if (this.shot.flat) return shade(color, 1);
    const x = 0.5 + 0.32 * this.shot.lightX;
    this.definitions.push(
      `<radialGradient id="${id}" cx="${n(x)}" cy="0.36" r="0.75"><stop offset="0" stop-color="${shade(color, 1.07)}"/>` +
        `<stop offset="0.55" stop-color="${shade(color, 1)}"/><stop offset="1" stop-color="${shade(color, 1 - depth)}"/></radialGradient>`,
    );
    return `url(#${id})`;
  }

  /** From one colour above to another below. */
  vertical(id: string, top: string, bottom: string): string {
    if (this.shot.flat) return top;
    this.definitions.push(
      `<linearGradient id="${id}" x1="0" y1="0" x2="0.3" y2="1"><stop offset="0" stop-color="${top}"/><stop offset="1" stop-color="${bottom}"/></linearGradient>`,
    );
    return `url(#${id})`;
  }

  /** A soft spot that fades out. */
  spot(id: string, color: string, opacity: number): string {
    this.definitions.push(
      `<radialGradient id="${id}"><stop offset="0" stop-color="${color}" stop-opacity="${n(opacity)}"/><stop offset="1" stop-color="${color}" stop-opacity="0"/></radialGradient>`,
    );
    return `url(#${id})`;
  }

  toString(): string {
    return `<defs>${this.definitions.join('')}</defs>`;
  }
}
