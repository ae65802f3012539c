import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drawPerson } from './person.drawing.js';
import { createPerson } from './person.identity.js';
import { createShot, FLAT_SHARE } from './person.shot.js';
import { PortraitsError } from './portraits.error.js';
import type { Traits } from './traits.js';

export interface PeopleSettings {
  readonly people: number;
  readonly imagesPerPerson: number;
  readonly seed: string | number;
  /** Width and height of each JPEG. */
  readonly size: number;
  /**
   * Share of photos drawn flat on a plain ground; 0.6 unless told. A person's last photo is never flat: it is the one that is kept from training
   * where there are up to eight, so that scores are read on photos alone.
   */
  readonly flatShare?: number;
}

export interface GeneratePeopleOptions extends PeopleSettings {
  readonly outDir: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { done: number; total: number }) => void;
}

/** What `traits.json` in each person's folder holds. */
export interface PersonRecord {
  readonly traits: Traits;
  readonly files: Record<string, { readonly flat: boolean }>;
  /** What the folder was drawn with, so that a folder of other settings is drawn again. */
  readonly settings: string;
}

// Raised when people are drawn differently, so that old folders are not taken for new ones.
const DRAWING_VERSION = 3;

/**
 * Draws `people` × `imagesPerPerson` photos into `outDir/person-001/img-001.jpg` with the person's `traits.json`.
 * A person's folder appears whole or not at all, and a whole one of the same settings is kept: an interrupted call can be
 * repeated. Rejects with PortraitsError INVALID_SETTINGS, or with the signal's reason when aborted.
 */
export async function generatePeople(options: GeneratePeopleOptions): Promise<{ people: number; images: number; drawn: number }> {
  checkSettings(options);
  const total = options.people * options.imagesPerPerson;
  let drawn = 0;
  await mkdir(options.outDir, { recursive: true });
  for (let number = 1; number <= options.people; number++) {
    options.signal?.throwIfAborted();
    const folder = join(options.outDir, `person-${padded(number)}`);
    if (!(await isComplete(folder, options))) {
      await drawFolder(folder, number, options);
      drawn += options.imagesPerPerson;
    }
    options.onProgress?.({ done: number * options.imagesPerPerson, total });
  }
  await removeSurplus(options);
  return { people: options.people, images: total, drawn };
}

/** Takes away what an earlier call for more people drew; folders that were not drawn here stay. */
async function removeSurplus({ outDir, people }: GeneratePeopleOptions): Promise<void> {
  for (const name of await readdir(outDir)) {
    const number = /^person-(\d{3,})$/.exec(name)?.[1];
    if (number && Number(number) > people && (await findRecord(join(outDir, name)))) await rm(join(outDir, name), { recursive: true });
  }
}

async function drawFolder(folder: string, number: number, options: GeneratePeopleOptions): Promise<void> {
  // Hidden while it is drawn: readers of a folder of people skip names with a leading dot.
  const unfinished = join(options.outDir, `.unfinished-${padded(number)}`);
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished);
  const person = createPerson(options.seed, number);
  const files: Record<string, { flat: boolean }> = {};
  for (let image = 1; image <= options.imagesPerPerson; image++) {
    options.signal?.throwIfAborted();
    const shot = createShot(person.seed, image, image === options.imagesPerPerson ? 0 : (options.flatShare ?? FLAT_SHARE));
    const file = `img-${padded(image)}.jpg`;
    await writeFile(join(unfinished, file), await drawPerson(person, shot, options.size));
    files[file] = { flat: shot.flat };
  }
  const record: PersonRecord = { traits: person.traits, files, settings: settingsKey(options) };
  await writeFile(join(unfinished, 'traits.json'), JSON.stringify(record));
  await rm(folder, { recursive: true, force: true });
  await rename(unfinished, folder);
}

async function isComplete(folder: string, settings: PeopleSettings): Promise<boolean> {
  const record = await findRecord(folder);
  if (record?.settings !== settingsKey(settings)) return false;
  const names = Object.keys(record.files);
  const sizes = await Promise.all(names.map((file) => stat(join(folder, file)).then(({ size }) => size, () => 0)));
  return names.length === settings.imagesPerPerson && sizes.every((size) => size > 0);
}

/** The record of a folder drawn here; undefined when it is missing, unreadable or somebody else's. */
async function findRecord(folder: string): Promise<PersonRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(join(folder, 'traits.json'), 'utf8')) as Partial<PersonRecord> | null;
    return record?.traits && record.files && record.settings ? (record as PersonRecord) : undefined;
  } catch {
    return undefined;
  }
}

function settingsKey({ imagesPerPerson, seed, size, flatShare = FLAT_SHARE }: PeopleSettings): string {
  return JSON.stringify({ version: DRAWING_VERSION, imagesPerPerson, seed, size, flatShare });
}

function padded(number: number): string {
  return String(number).padStart(3, '0');
}

function checkSettings({ people, imagesPerPerson, size, flatShare = FLAT_SHARE }: PeopleSettings): void {
  const check = (ok: boolean, message: string) => {
    if (!ok) throw new PortraitsError('INVALID_SETTINGS', message);
  };
  check(Number.isInteger(people) && people > 0, `people must be a whole number above 0, not ${people}`);
  check(Number.isInteger(imagesPerPerson) && imagesPerPerson > 0, `imagesPerPerson must be a whole number above 0, not ${imagesPerPerson}`);
  check(Number.isInteger(size) && size >= 16 && size <= 1024, `size must be a whole number from 16 to 1024 pixels, not ${size}`);
  check(flatShare >= 0 && flatShare <= 1, `flatShare must be from 0 to 1, not ${flatShare}`);
}
