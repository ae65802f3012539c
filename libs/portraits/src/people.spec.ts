import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Region } from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generatePeople, type PersonRecord } from './people.generator.js';
import { drawPerson } from './person.drawing.js';
import { createIdentity, createPerson } from './person.identity.js';
import { createShot } from './person.shot.js';
import { TRAIT_NAMES, TRAITS, type Traits } from './traits.js';

const plain: Traits = { skin: 1, hairColor: 1, hair: 1, glasses: 0, beard: 0, mouth: 1 };

describe('people', () => {
  it('show every value of every trait, none of them rare', () => {
    const people = Array.from({ length: 600 }, (_, index) => createPerson('statistics', index));
    for (const name of TRAIT_NAMES) {
      for (const value of TRAITS[name].keys()) {
        const share = people.filter(({ traits }) => traits[name] === value).length / people.length;
        expect(share, `${name} ${TRAITS[name][value]}`).toBeGreaterThan(0.08);
      }
    }
  });

  it('are the same for the same seed and others for another', async () => {
    const draw = (seed: string, person: number, image: number) => {
      const identity = createPerson(seed, person);
      return drawPerson(identity, createShot(identity.seed, image), 48);
    };
    const [first, again, ...others] = await Promise.all([draw('a', 1, 1), draw('a', 1, 1), draw('b', 1, 1), draw('a', 2, 1), draw('a', 1, 2)]);
    expect(again).toEqual(first);
    for (const other of others) expect(other).not.toEqual(first);
  });

  it('are drawn flat on a plain ground for about the share asked for', () => {
    const flat = (share: number) => Array.from({ length: 400 }, (_, index) => createShot('x', index, share)).filter((shot) => shot.flat).length / 400;
    expect(flat(0)).toBe(0);
    expect(flat(1)).toBe(1);
    expect(flat(0.35)).toBeGreaterThan(0.28);
    expect(flat(0.35)).toBeLessThan(0.42);
  });

  it('keep skins and hair colours apart in nearly every photo, whatever the light', async () => {
    // The forehead below the hairline and the hair above it, against the nearest colour of all photos' means.
    expect(await readBack('skin', { left: 27, top: 38, width: 10, height: 8 })).toBeGreaterThan(0.85);
    expect(await readBack('hairColor', { left: 26, top: 8, width: 12, height: 5 }, { hair: 3 })).toBeGreaterThan(0.85);
  });
});

/** How often the trait's value is the nearest of the values' mean colours in a window of a 64-pixel photo. */
async function readBack(name: 'skin' | 'hairColor', window: Region, others: Partial<Traits> = {}): Promise<number> {
  const samples = await Promise.all(
    [0, 1, 2, 3, 4].map((value) =>
      Promise.all(
        Array.from({ length: 30 }, async (_, index) => {
          const person = createIdentity({ ...plain, ...others, [name]: value }, `read ${index}`);
          const { channels } = await sharp(await sharp(await drawPerson(person, createShot(person.seed, index, 0), 64)).extract(window).toBuffer()).stats();
          return channels.map(({ mean }) => mean);
        }),
      ),
    ),
  );
  const means = samples.map((colors) => [0, 1, 2].map((channel) => colors.reduce((sum, color) => sum + color[channel]!, 0) / colors.length));
  const distance = (a: number[], b: number[]) => a.reduce((sum, value, channel) => sum + (value - b[channel]!) ** 2, 0);
  const nearest = (color: number[]) => means.map((mean) => distance(mean, color)).reduce((best, value, index, all) => (value < all[best]! ? index : best), 0);
  const right = samples.flatMap((colors, value) => colors.map((color) => nearest(color) === value));
  return right.filter(Boolean).length / right.length;
}

describe('a generated folder of people', () => {
  let outDir: string;
  const settings = { people: 3, imagesPerPerson: 4, seed: 'folder', size: 32 };
  beforeEach(async () => void (outDir = await mkdtemp(join(tmpdir(), 'people-'))));
  afterEach(() => rm(outDir, { recursive: true, force: true }));

  it('holds a folder a person with JPEGs of the size asked for and their true traits', async () => {
    const progress: number[] = [];
    const result = await generatePeople({ ...settings, outDir, onProgress: ({ done }) => progress.push(done) });
    expect(result).toEqual({ people: 3, images: 12, drawn: 12 });
    expect(progress).toEqual([4, 8, 12]);
    expect((await readdir(outDir)).sort()).toEqual(['person-001', 'person-002', 'person-003']);
    expect((await readdir(join(outDir, 'person-002'))).sort()).toEqual(['img-001.jpg', 'img-002.jpg', 'img-003.jpg', 'img-004.jpg', 'traits.json']);
    expect(await sharp(join(outDir, 'person-002/img-003.jpg')).metadata()).toMatchObject({ width: 32, height: 32, format: 'jpeg' });
    const record = JSON.parse(await readFile(join(outDir, 'person-002/traits.json'), 'utf8')) as PersonRecord;
    expect(record.traits).toEqual(createPerson('folder', 2).traits);
    expect(Object.keys(record.files)).toHaveLength(4);
    expect(record.files['img-004.jpg']).toEqual({ flat: false });
  });

  it('keeps whole people and draws the missing and damaged ones again', async () => {
    await generatePeople({ ...settings, outDir });
    const before = await stat(join(outDir, 'person-001/img-001.jpg'));
    const original = await readFile(join(outDir, 'person-003/img-001.jpg'));
    await rm(join(outDir, 'person-002'), { recursive: true });
    await writeFile(join(outDir, 'person-003/img-001.jpg'), '');
    expect((await generatePeople({ ...settings, outDir })).drawn).toBe(8);
    expect((await stat(join(outDir, 'person-001/img-001.jpg'))).ino).toBe(before.ino);
    expect(await readFile(join(outDir, 'person-003/img-001.jpg'))).toEqual(original);
    expect((await generatePeople({ ...settings, size: 48, outDir })).drawn).toBe(12);
  });

  it('takes away people of an earlier call that are too many, and nobody else’s folders', async () => {
    await generatePeople({ ...settings, outDir });
    await mkdir(join(outDir, 'person-900'));
    await generatePeople({ ...settings, people: 2, outDir });
    expect((await readdir(outDir)).sort()).toEqual(['person-001', 'person-002', 'person-900']);
  });

  it('leaves no half person behind when aborted', async () => {
    const stopped = new AbortController();
    const run = generatePeople({ ...settings, outDir, signal: stopped.signal, onProgress: () => stopped.abort(new Error('stopped')) });
    await expect(run).rejects.toThrow('stopped');
    expect(await readdir(outDir)).toEqual(['person-001']);
    expect((await generatePeople({ ...settings, outDir })).drawn).toBe(8);
  });

  it.each([{ people: 0 }, { imagesPerPerson: 1.5 }, { size: 4 }, { flatShare: 2 }])('refuses %o', async (wrong) => {
    await expect(generatePeople({ ...settings, ...wrong, outDir })).rejects.toMatchObject({ code: 'INVALID_SETTINGS', retryable: false });
  });
});
