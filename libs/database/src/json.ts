import { isDeepStrictEqual } from 'node:util';

import { Prisma } from './generated/client.js';
import type { JsonObject, JsonValue } from './rows.js';

/** An escape in JSON text: of NUL, of half a surrogate pair, or another. */
const ESCAPE = /\\(?:(u0000)|(ud[89a-f]..)|.)/g;

/** JSON that Postgres takes: it refuses NUL and halves of surrogate pairs, and messages that were made of raw bytes or cut short may hold them. */
export function toJsonText(value: unknown): string {
  return JSON.stringify(value).replace(ESCAPE, (escape, nul?: string, half?: string) => (nul ? '' : half ? '\ufffd' : escape));
}

/** The same for a column of text, where half a pair is replaced on its way. */
export function toText<T extends string | null | undefined>(value: T): T {
  return (typeof value === 'string' ? value.replaceAll('\0', '') : value) as T;
}

/** Plain data as the database will give it back: without undefined properties, dates as text. */
export function toJson<T extends JsonValue>(value: T): T {
  return JSON.parse(toJsonText(value)) as T;
}

/** Equal whatever the order of their properties. */
export function isSameJson(a: JsonValue, b: JsonValue): boolean {
  return isDeepStrictEqual(toJson(a), toJson(b));
}

/** Prisma's form of a JSON column that may be empty. */
export function toNullableJson(value: JsonObject | null): Prisma.InputJsonObject | typeof Prisma.DbNull {
  return value === null ? Prisma.DbNull : (toJson(value) as Prisma.InputJsonObject);
}
