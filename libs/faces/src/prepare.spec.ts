import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeNpy, readManifest } from '@caricature/tensors';
import sharp from 'sharp';
import { beforeEach, describe, expect, it } from 'vitest';
import { prepareFaces } from './prepare.js';
import { makeRealPhotos } from './testing/real-photos.js';

let photosDir: string;
let outDir: string;

beforeEach(async () => {
  photosDir = await mkdtemp(join(tmpdir(), 'caricature-photos-'));
  outDir = await mkdtemp(join(tmpdir(), 'caricature-faces-'));
});

/** People as plain colours, told apart by their red; photos of a person by their green. */
async function paint(person: string, red: number, count: number): Promise<void> {
  await mkdir(join(photosDir, person), { recursive: true });
  for (let index = 0; index < count; index += 1) {
    const picture = sharp({ create: { width: 12, height: 12, channels: 3, background: { r: red, g: index, b: 0 } } });
    await picture.png().toFile(join(photosDir, person, `${String(index).padStart(4, '0')}.png`));
  }
}

async function readSplit(split: string) {
  const manifest = await readManifest(join(outDir, split));
  const images: number[][] = [];
  const labels: number[] = [];
  const traits: number[][] = [];
  for (const shard of manifest.shards) {
    const pixels = decodeNpy(await readFile(join(outDir, split, shard.file))).data;
    const size = manifest.shape.reduce((a, b) => a * b, 1);
    for (let i = 0; i < shard.count; i += 1) images.push([...pixels.slice(i * size, i * size + 3)]);
    labels.push(...decodeNpy(await readFile(join(outDir, split, shard.labelsFile))).data);
    if (!shard.traitsFile) continue;
    const rows = [...decodeNpy(await readFile(join(outDir, split, shard.traitsFile))).data];
    for (let i = 0; i < shard.count; i += 1) traits.push(rows.splice(0, manifest.traitNames!.length));
  }
  return { manifest, images, labels, traits };
}

describe('preparing faces that are cropped already', () => {
  it('labels every face with its person, mixes people, and holds one in eight out', async () => {
    await paint('al', 100, 16);
    await paint('bo', 200, 16);
    const result = await prepareFaces({ photosDir, outDir, size: 8, detect: false, imagesPerShard: 5, seed: 3 });
    expect(result).toEqual({ done: 32, total: 32, kept: 32, noFace: 0, several: 0, unreadable: 0, people: 2, train: 28, heldOut: 4 });
    const train = await readSplit('train');
    expect(train.manifest).toMatchObject({ count: 28, shape: [8, 8, 3], numLabels: 2, labelNames: ['al', 'bo'] });
    expect(train.images.map(([red]) => red)).toEqual(train.labels.map((label) => (label === 0 ? 100 : 200)));
    expect(new Set(train.labels.slice(0, 10)).size).toBe(2);
    const heldOut = await readSplit('heldout');
    expect(heldOut.manifest.labelNames).toEqual(['al', 'bo']);
    expect(heldOut.images.map(([, index]) => index).sort()).toEqual([15, 15, 7, 7]);
  });

  it('writes the same bytes for the same seed, whatever is done at once, and another order for another seed', async () => {
    await paint('al', 100, 6);
    await paint('bo', 200, 6);
    const run = async (seed: number, concurrency: number) => {
      await prepareFaces({ photosDir, outDir, size: 8, detect: false, seed, concurrency });
      return (await readSplit('train')).manifest.shards[0]!.sha256;
    };
    const first = await run(1, 1);
    expect(await run(1, 4)).toBe(first);
    expect(await run(2, 1)).not.toBe(first);
  });

  it("carries the people's true traits, a photo's own over the person's, and -1 for what is not known", async () => {
    await paint('al', 100, 2);
    await paint('bo', 200, 2);
    await writeFile(join(photosDir, 'al', 'traits.json'), JSON.stringify({ traits: { skin: 3, mouth: 0 }, files: { '0001.png': { mouth: 2, flat: true } } }));
    await prepareFaces({ photosDir, outDir, size: 8, detect: false });
    expect((await readSplit('train')).manifest.traitNames).toEqual(['skin', 'mouth']);
    const { images, traits } = await readSplit('train');
    const traitsOf = (red: number, index: number) => traits[images.findIndex((pixel) => pixel[0] === red && pixel[1] === index)];
    expect(traitsOf(100, 0)).toEqual([3, 0]);
    expect(traitsOf(100, 1)).toEqual([3, 2]);
    expect(traitsOf(200, 0)).toEqual([-1, -1]);
    await prepareFaces({ photosDir, outDir, size: 8, detect: false, traitNames: ['mouth', 'hair', 'skin'] });
    expect((await readSplit('train')).traits).toContainEqual([0, -1, 3]);
  });

  it('refuses traits that cannot be read, and stops when told to', async () => {
    await paint('al', 100, 2);
    await paint('bo', 200, 2);
    const aborted = AbortSignal.abort(new Error('stopped'));
    await expect(prepareFaces({ photosDir, outDir, size: 8, detect: false, signal: aborted })).rejects.toThrow('stopped');
    await writeFile(join(photosDir, 'al', 'traits.json'), '{"skin": 1}');
    await expect(prepareFaces({ photosDir, outDir, size: 8, detect: false })).rejects.toMatchObject({ code: 'TraitsUnreadable' });
  });
});

describe('preparing real photos', { timeout: 120_000 }, () => {
  it('keeps photos with one face, and drops and counts the others', async () => {
    const real = await makeRealPhotos();
    for (const person of ['al', 'bo']) {
      await mkdir(join(photosDir, person));
      for (const name of ['astronaut', 'twins', 'cat']) await writeFile(join(photosDir, person, `${name}.png`), await real.read(name));
      await writeFile(join(photosDir, person, 'broken.jpg'), 'no picture');
    }
    const steps: number[] = [];
    const result = await prepareFaces({ photosDir, outDir, size: 64, detect: true, heldOutEvery: 100, onProgress: ({ done }) => steps.push(done) });
    expect(result).toMatchObject({ total: 8, kept: 2, noFace: 2, several: 2, unreadable: 2, people: 2 });
    expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('says what was wrong with the photos when too few people have a face', async () => {
    await paint('al', 100, 2);
    await paint('bo', 200, 2);
    await expect(prepareFaces({ photosDir, outDir, size: 64, detect: true })).rejects.toMatchObject({
      code: 'TooFewPeople',
      message: expect.stringMatching(/Only 0 people .* 4 photos show no face.*alreadyCropped/),
    });
    await expect(readManifest(join(outDir, 'train'))).rejects.toThrow();
  });
});
