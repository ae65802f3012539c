import { BadRequestException } from '@nestjs/common';

/** What a render URL's query asks for. */
export interface AvatarQuery {
  readonly parameters: Record<string, string>;
  readonly width: number;
  readonly height: number;
}

const DEFAULT_SIDE = 152;
const MIN_SIDE = 16;
const MAX_SIDE = 512;

/** Splits a query into the size and the avatar's parameters. Refuses (400) a repeated key and a size out of bounds. */
export function parseAvatarQuery(query: Record<string, unknown>): AvatarQuery {
  for (const [key, value] of Object.entries(query)) {
    if (typeof value !== 'string') throw new BadRequestException(`parameter given more than once: ${key}`);
  }
  const { width, height, ...parameters } = query as Record<string, string>;
  return { parameters, width: parseSide('width', width), height: parseSide('height', height) };
}

function parseSide(name: string, text: string | undefined): number {
  if (text === undefined) return DEFAULT_SIDE;
  const side = Number(text);
  if (/^\d+$/.test(text) && side >= MIN_SIDE && side <= MAX_SIDE) return side;
  throw new BadRequestException(`${name} must be a whole number from ${MIN_SIDE} to ${MAX_SIDE}`);
}
