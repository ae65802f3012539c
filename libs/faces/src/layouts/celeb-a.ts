import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CollectionError } from '../collection.error.js';
import { addPhoto, insidePath, readSorted } from './listing.js';
import type { Listing } from './listing.js';

const IDENTITIES = 'identity_CelebA.txt';
const IMAGE_FOLDERS = ['img_celeba', 'img_align_celeba'];

/** CelebA (Liu et al. 2015): lines of `000001.jpg 2880` beside the folder of images, in the wild before aligned. */
export async function listCelebA(dir: string): Promise<Listing> {
  const { folders } = await readSorted(dir);
  const images = IMAGE_FOLDERS.find((folder) => folders.includes(folder)) ?? '.';
  const text = await readFile(join(dir, IDENTITIES), 'utf8').catch((cause: Error) => {
    throw new CollectionError('LabelsUnreadable', `${dir} has no readable ${IDENTITIES}; put CelebA's identity annotations there.`, { cause });
  });
  const listing: Listing = new Map();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const [file, identity, ...rest] = line.trim().split(/\s+/);
    if (!file || !identity || rest.length > 0) {
      throw new CollectionError('LabelsUnreadable', `${IDENTITIES} line ${index + 1} is not "file identity": ${line.trim().slice(0, 80)}`);
    }
    addPhoto(listing, identity, insidePath(IDENTITIES, images, file));
  }
  return listing;
}
