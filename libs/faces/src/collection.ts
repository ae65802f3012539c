import { CollectionError } from './collection.error.js';
import { listCelebA } from './layouts/celeb-a.js';
import { listLabels } from './layouts/labels.js';
import { listLfw } from './layouts/lfw.js';
import { listMsraCfw } from './layouts/msra-cfw.js';
import { listPersonFolders } from './layouts/person-folders.js';
import type { Listing } from './layouts/listing.js';

const LAYOUTS = {
  PersonFolders: listPersonFolders,
  MsraCfw: listMsraCfw,
  Lfw: listLfw,
  CelebA: listCelebA,
  Labels: listLabels,
};

/** How a folder of photos says who is on each. */
export type PhotoLayout = keyof typeof LAYOUTS;

export interface CollectionOptions {
  dir: string;
  layout?: PhotoLayout;
  /** People with fewer photos are left out. */
  minImagesPerPerson?: number;
  /** No more people than these are taken: those with the most photos. */
  maxPeople?: number;
  /** No more photos of a person than these are taken: the first by name. */
  maxImagesPerPerson?: number;
  /** With fewer people than these left, there is nothing to tell apart. */
  minPeople?: number;
}

/** A person and their photos, as paths under the collection's folder. */
export interface Person {
  name: string;
  photos: string[];
}

/**
 * Finds the people of a folder of photos. People come by name and photos by path, so that the same folder gives the
 * same labels on every machine. Throws CollectionError when too few people are left.
 */
export async function listPeople(options: CollectionOptions): Promise<Person[]> {
  const { dir, layout = 'PersonFolders', minImagesPerPerson = 1, minPeople = 2 } = options;
  const everybody = toPeople(await LAYOUTS[layout](dir));
  refuseEmpty(everybody, dir, layout);
  const people = everybody.filter((person) => person.photos.length >= minImagesPerPerson);
  if (people.length < minPeople) {
    throw new CollectionError(
      'TooFewPeople',
      `${dir} has ${people.length} people with at least ${minImagesPerPerson} photos (of ${everybody.length} in all), ` +
        `but ${minPeople} are needed; add photos or lower minImagesPerPerson.`,
    );
  }
  return keepMostPhotographed(people, options.maxPeople ?? people.length).map(({ name, photos }) => ({
    name,
    photos: photos.slice(0, options.maxImagesPerPerson),
  }));
}

function toPeople(listing: Listing): Person[] {
  return [...listing]
    .map(([name, photos]) => ({ name, photos: photos.toSorted() }))
    .filter((person) => person.photos.length > 0)
    .sort(byName);
}

function refuseEmpty(people: Person[], dir: string, layout: PhotoLayout): void {
  if (people.length > 0) return;
  throw new CollectionError(
    'NoPeople',
    `No photos of people were found in ${dir} with the layout ${layout}; ` +
      'for PersonFolders make a folder a person with JPEG, PNG or WebP photos inside, or set another layout.',
  );
}

function keepMostPhotographed(people: Person[], count: number): Person[] {
  const byCount = people.toSorted((a, b) => b.photos.length - a.photos.length || byName(a, b));
  return byCount.slice(0, count).sort(byName);
}

// Not localeCompare: the labels must not depend on the machine's language.
function byName(a: Person, b: Person): number {
  return a.name < b.name ? -1 : 1;
}
