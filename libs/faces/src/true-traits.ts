import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { CollectionError } from './collection.error.js';
import type { Person } from './collection.js';

/** Beside drawn people's photos: what is true of the person, and of single photos. Traits are indices of their values. */
const traitsFile = z.object({
  traits: z.record(z.string(), z.int()),
  files: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
});

const FILE = 'traits.json';
const UNKNOWN = -1;

/** True traits of photos, as rows in the order of `traitNames`. */
export interface TrueTraits {
  traitNames: readonly string[];
  /** By the photo's path; -1 where a trait is not known. */
  rows: Map<string, number[]>;
}

/**
 * Reads the true traits of people who have a `traits.json`; undefined when nobody has one, as with photos of real people.
 * Without names given, the traits and their order are those of the first file.
 */
export async function readTrueTraits(dir: string, people: Person[], givenNames?: readonly string[]): Promise<TrueTraits | undefined> {
  const rows = new Map<string, number[]>();
  let traitNames = givenNames;
  for (const { photos } of people) {
    const person = await readTraitsFile(join(dir, dirname(photos[0]!), FILE));
    if (!person) continue;
    const names = (traitNames ??= Object.keys(person.traits));
    for (const photo of photos) {
      const known: Record<string, unknown> = { ...person.traits, ...person.files[basename(photo)] };
      rows.set(photo, names.map((name) => (Number.isInteger(known[name]) ? (known[name] as number) : UNKNOWN)));
    }
  }
  return traitNames && rows.size > 0 ? { traitNames, rows } : undefined;
}

async function readTraitsFile(file: string): Promise<z.output<typeof traitsFile> | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return traitsFile.parse(JSON.parse(text));
  } catch (cause) {
    throw new CollectionError('TraitsUnreadable', `${file} holds no traits ({traits: {skin: 0, …}, files: {…}}); correct or remove it.`, { cause });
  }
}
