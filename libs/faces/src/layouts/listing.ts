import { readdir } from 'node:fs/promises';
import { isAbsolute, join, normalize, sep } from 'node:path';
import { CollectionError } from '../collection.error.js';

/** People's names → their photos, as paths under the photos' folder. */
export type Listing = Map<string, string[]>;

const PHOTO = /\.(jpe?g|png|webp)$/i;

export function isPhoto(file: string): boolean {
  return PHOTO.test(file) && !file.startsWith('.');
}

/** The folder's entries by name, so that the same folder always gives the same order. */
export async function readSorted(dir: string): Promise<{ folders: string[]; photos: string[] }> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    throw new CollectionError('NoPhotos', `${dir} cannot be read (${cause.code}); name an existing folder of photos.`, { cause });
  });
  const names = entries.filter((entry) => !entry.name.startsWith('.'));
  return {
    folders: names.filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort(),
    photos: names.filter((entry) => !entry.isDirectory() && isPhoto(entry.name)).map((entry) => entry.name).sort(),
  };
}

export function addPhoto(listing: Listing, person: string, path: string): void {
  const photos = listing.get(person);
  if (photos) photos.push(path);
  else listing.set(person, [path]);
}

/** A path out of a list of labels, refused when it would leave the photos' folder. */
export function insidePath(listFile: string, ...parts: string[]): string {
  const path = normalize(join(...parts));
  if (isAbsolute(path) || path === '..' || path.startsWith(`..${sep}`)) {
    throw new CollectionError('LabelsUnreadable', `${listFile} names ${path}, outside the folder of photos; use paths inside it.`);
  }
  return path;
}
