import { basename } from 'node:path';
import { listPersonFolders } from './person-folders.js';
import type { Listing } from './listing.js';

/** Labeled Faces in the Wild (Huang et al. 2007): `Name_Surname/Name_Surname_0001.jpg`; other files are not photos of them. */
export async function listLfw(dir: string): Promise<Listing> {
  const listing = await listPersonFolders(dir);
  return new Map([...listing].map(([person, photos]) => [person, photos.filter((photo) => isNumbered(photo, person))]));
}

function isNumbered(photo: string, person: string): boolean {
  const file = basename(photo);
  return file.startsWith(`${person}_`) && /^\d{4}\.jpe?g$/i.test(file.slice(person.length + 1));
}
