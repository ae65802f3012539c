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

/**
 * Photos' paths → their true traits as rows in the order of `traitNames`, −1 where unknown. Undefined when nobody has a
 * `traits.json`, as with photos of real people.
 */
export async function readTrueTraits(
  dir: string,
  people: Person[],
  traitNames: readonly string[],
): Promise<Map<string, number[]> | undefined> {
  const rows = new Map<string, number[]>();
  for (const { photos } of people) {
    const traits = await readTraitsFile(join(dir, dirname(photos[0]!), FILE));
    if (!traits) continue;
    for (const photo of photos) {
      const known: Record<string, unknown> = { ...traits.traits, ...traits.files[basename(photo)] };
      rows.set(photo, traitNames.map((name) => (Number.isInteger(known[name]) ? (known[name] as number) : UNKNOWN)));
    }
  }
  return rows.size > 0 ? rows : undefined;
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
