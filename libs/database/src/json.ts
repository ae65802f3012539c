import { isDeepStrictEqual } from 'node:util';

import { Prisma } from './generated/client.js';
import type { JsonObject, JsonValue } from './rows.js';

/** Plain data as the database will give it back: without undefined properties, dates as text. */
export function toJson<T extends JsonValue>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** Equal whatever the order of their properties. */
export function isSameJson(a: JsonValue, b: JsonValue): boolean {
  return isDeepStrictEqual(toJson(a), toJson(b));
}

/** Prisma's form of a JSON column that may be empty. */
export function toNullableJson(value: JsonObject | null): Prisma.InputJsonObject | typeof Prisma.DbNull {
  return value === null ? Prisma.DbNull : (toJson(value) as Prisma.InputJsonObject);
}
