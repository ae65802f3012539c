import { promises as fs, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BatchSampler, type Dataset } from '@caricature/tensors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeDiscs } from '../testing/discs.js';
import { type BatchImagesOptions, makeBatchImages } from './batch-images.js';
import type { PreparedImages as Prepared } from './prepared-images.js';

/** Compiled, as programs run it: its thread is a file of JavaScript. */
const COMPILED = path.resolve(import.meta.dirname, '../../../../dist/libs/models/src/batches/prepared-images.js');
const { PreparedImages } = (await import(COMPILED)) as { PreparedImages: typeof Prepared };

const OPTIONS: BatchImagesOptions = { augmentation: 'mirrored', seed: 3 };
const FIRST = Int32Array.of(4, 0, 9);
const SECOND = Int32Array.of(1, 2, 3);

let folder: string;
let dataset: Dataset;
let images: Prepared | undefined;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'batches-'));
  dataset = await writeDiscs(folder, 'source', { count: 12, size: 16 });
});
afterEach(async () => {
  images?.dispose();
  dataset.close();
  await fs.rm(folder, { recursive: true });
});

const taken = (indices: Int32Array, step: number) => {
  const tensor = images!.take(indices, step);
  const values = tensor.dataSync() as Float32Array;
  tensor.dispose();
  return { shape: tensor.shape, values: values.slice() };
};
const made = (indices: Int32Array, step: number) => makeBatchImages(dataset, { indices, step }, OPTIONS);
/** Nobody who has only this can make a batch. */
const unreadable = () => ({ folder, shape: dataset.shape, batch: () => { throw new Error('read by the main thread'); } }) as unknown as Dataset;

describe('prepared images', () => {
  it('are made by the thread, to the bits that they have otherwise', () => {
    images = new PreparedImages(unreadable(), OPTIONS);
    for (const [indices, step] of [[FIRST, 0], [SECOND, 1], [FIRST, 2]] as const) {
      images.prepare(indices, step);
      expect(taken(indices, step)).toEqual({ shape: [3, 16, 16, 3], values: made(indices, step) });
    }
    expect(made(FIRST, 0)).not.toEqual(made(FIRST, 2));
  });

  it('come from a sampler batch by batch, of the places that it is told', () => {
    images = new PreparedImages(dataset, OPTIONS);
    const [sampler, same] = [new BatchSampler(6, 3, 1), new BatchSampler(6, 3, 1)];
    const places = Int32Array.of(11, 2, 5, 7, 0, 3);
    for (let step = 0; step < 4; step++) {
      const wanted = same.next().map((i) => places[i]!);
      const { indices, images: batch } = images.next(sampler, step, places);
      expect(indices).toEqual(wanted);
      expect(batch.dataSync()).toEqual(made(wanted, step));
      batch.dispose();
    }
  });

  it('are made when they are taken where others were prepared, or none', () => {
    images = new PreparedImages(dataset, OPTIONS);
    expect(taken(FIRST, 0).values).toEqual(made(FIRST, 0));
    images.prepare(SECOND, 1);
    expect(taken(FIRST, 1).values).toEqual(made(FIRST, 1));
    images.prepare(SECOND, 2);
    expect(taken(SECOND, 5).values).toEqual(made(SECOND, 5));
    images.prepare(FIRST, 6);
    expect(taken(FIRST, 6).values).toEqual(made(FIRST, 6));
  });

  it('tell the error of a data set that cannot be read', async () => {
    await fs.truncate(path.join(folder, 'shard-00000.npy'), 200);
    images = new PreparedImages(dataset, OPTIONS);
    images.prepare(FIRST, 0);
    expect(() => taken(FIRST, 0)).toThrow(/was cut off while it was read/);
  });

  it('are made without the thread when that has ended', () => {
    images = new PreparedImages(dataset, OPTIONS);
    images.prepare(FIRST, 0);
    images.dispose();
    expect(taken(FIRST, 0).values).toEqual(made(FIRST, 0));
    images.prepare(SECOND, 1);
    expect(taken(SECOND, 1).values).toEqual(made(SECOND, 1));
  });
});
