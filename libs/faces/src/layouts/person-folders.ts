import { join } from 'node:path';
import { readSorted } from './listing.js';
import type { Listing } from './listing.js';

/** A folder a person, named after them, with their photos inside. */
export async function listPersonFolders(dir: string): Promise<Listing> {
  const { folders } = await readSorted(dir);
  const listing: Listing = new Map();
  for (const person of folders) {
    const { photos } = await readSorted(join(dir, person));
    listing.set(person, photos.map((photo) => join(person, photo)));
  }
  return listing;
}
