import { join } from 'node:path';
import { listPersonFolders } from './person-folders.js';
import { readSorted } from './listing.js';
import type { Listing } from './listing.js';

const FOLDER = 'thumbnails_features_deduped_publish';

/** MSRA-CFW (Zhang et al. 2012): a folder a celebrity, in the archive's own folder when it was unpacked as it comes. */
export async function listMsraCfw(dir: string): Promise<Listing> {
  const { folders } = await readSorted(dir);
  if (!folders.includes(FOLDER)) return listPersonFolders(dir);
  const listing = await listPersonFolders(join(dir, FOLDER));
  return new Map([...listing].map(([person, photos]) => [person, photos.map((photo) => join(FOLDER, photo))]));
}
