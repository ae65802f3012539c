import { execFileSync } from 'node:child_process';
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BatchSampler } from './batch.sampler.js';
import { Dataset } from './dataset.reader.js';
import { decodeNpy, encodeNpy, type NpyData } from './npy.js';
import { testPython } from './python.env.js';
import { Random } from './random.js';
import { ShardWriter } from './shard.writer.js';

let folder: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'tensors-'));
});
afterEach(() => fs.rm(folder, { recursive: true, force: true }));

/** Image i is filled with i; 23 of them in shards of 10. */
async function write(): Promise<void> {
  const writer = new ShardWriter({ folder, shape: [4, 3, 3], labelNames: ['ann', 'bob', 'cid'], traitNames: ['skin', 'hair'], imagesPerShard: 10, from: { photos: 'here' } });
  for (let i = 0; i < 23; i++) await writer.add(new Uint8Array(36).fill(i), i % 3, [i, -1]);
  await writer.finish();
}

describe('.npy', () => {
  test.each<[string, NpyData, number[]]>([
    ['uint8', Uint8Array.of(1, 2, 3, 4, 5, 255), [2, 3]],
    ['int32', Int32Array.of(-1, 2 ** 31 - 1), [2]],
    ['float32', Float32Array.of(0.5, -3e8, NaN, 0), [2, 1, 2]],
  ])('%s is read as it was written', (_, data, shape) => {
    expect(decodeNpy(encodeNpy({ data, shape }))).toEqual({ data, shape });
  });

  test('data that do not fill the shape, other types and cut files are refused', () => {
    expect(() => encodeNpy({ data: new Uint8Array(5), shape: [2, 3] })).toThrow(/needs 6 values, got 5/);
    const file = encodeNpy({ data: new Uint8Array(6), shape: [2, 3] });
    expect(() => decodeNpy(file.subarray(0, file.length - 1))).toThrow(/damaged/);
    expect(() => decodeNpy(Buffer.from(file.toString('latin1').replace('|u1', '<f8'), 'latin1'))).toThrow(/<f8 is not one of/);
    expect(() => decodeNpy(Buffer.from('PNG'))).toThrow(/not a .npy file/);
  });
});

describe('a data set', () => {
  test('is read by NumPy as memory maps', async () => {
    await write();
    const script = `
import json, sys, numpy as np
folder = sys.argv[1]
manifest = json.load(open(folder + '/manifest.json'))
out = []
for shard in manifest['shards']:
    x = np.load(folder + '/' + shard['file'], mmap_mode='r'); y = np.load(folder + '/' + shard['labelsFile'], mmap_mode='r'); t = np.load(folder + '/' + shard['traitsFile'], mmap_mode='r')
    out.append([type(x).__name__, str(x.dtype), list(x.shape), str(y.dtype), list(y.shape), str(t.dtype), list(t.shape), int(x[-1].max()), int(y[-1]), t[-1].tolist()])
print(json.dumps(out))`;
    const output = execFileSync(testPython(), ['-c', script, folder], { encoding: 'utf8' });
    const shard = (n: number, last: number) => ['memmap', 'uint8', [n, 4, 3, 3], 'int32', [n], 'int32', [n, 2], last, last % 3, [last, -1]];
    expect(JSON.parse(output)).toEqual([shard(10, 9), shard(10, 19), shard(3, 22)]);
  });

  test('gives any image, label, traits and batch', async () => {
    await write();
    const dataset = await Dataset.open(folder, { verifyDigests: true });
    expect(dataset.manifest).toMatchObject({ count: 23, shape: [4, 3, 3], numLabels: 3, from: { photos: 'here' } });
    for (const i of [0, 9, 10, 22]) expect(dataset.image(i)).toEqual(new Uint8Array(36).fill(i));
    expect(dataset.labels[22]).toBe(1);
    expect([...dataset.traitsOf(22)!]).toEqual([22, -1]);
    const { images, labels } = dataset.batch([21, 3]);
    expect([images[0], images[36], ...labels]).toEqual([21, 3, 0, 0]);
    expect(() => dataset.image(23)).toThrow(/image 23 of 23/);
    dataset.close();
  });

  test('is refused when unfinished, cut off, of another shape, or changed', async () => {
    await expect(Dataset.open(folder)).rejects.toThrow(/no finished data set/);
    await write();
    const file = path.join(folder, 'shard-00001.npy');
    const whole = await fs.readFile(file);
    await fs.writeFile(file, whole.subarray(0, whole.length - 4));
    await expect(Dataset.open(folder)).rejects.toThrow(/shard-00001.npy is not as long/);
    await fs.writeFile(file, encodeNpy({ data: new Uint8Array(10), shape: [10] }));
    await expect(Dataset.open(folder)).rejects.toThrow(/holds uint8 \(10\), but the manifest says uint8 \(10, 4, 3, 3\)/);
    whole[whole.length - 1]! ^= 1;
    await fs.writeFile(file, whole);
    await expect(Dataset.open(folder, { verifyDigests: true })).rejects.toThrow(/SHA-256/);
    await fs.rm(file);
    await expect(Dataset.open(folder)).rejects.toThrow(/shard-00001.npy is missing/);
  });

  test('takes no image of another size and no label without a name', async () => {
    const writer = new ShardWriter({ folder, shape: [2, 2, 3], labelNames: ['ann'] });
    await expect(writer.add(new Uint8Array(11), 0)).rejects.toThrow(/has 12 bytes, got 11/);
    await expect(writer.add(new Uint8Array(12), 1)).rejects.toThrow(/label 1 is not below 1/);
  });
});

describe('batches', () => {
  test('hold every image once an epoch, in an order that another epoch and another seed change', () => {
    const epoch = (sampler: BatchSampler) => Array.from({ length: 5 }, () => [...sampler.next()]).flat();
    const sampler = new BatchSampler(20, 4, 1);
    const [first, second] = [epoch(sampler), epoch(sampler)];
    expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(second).not.toEqual(first);
    expect(epoch(new BatchSampler(20, 4, 2))).not.toEqual(first);
  });

  test('go on from a saved state as if never stopped', () => {
    const sampler = new BatchSampler(10, 3, 1);
    for (let i = 0; i < 5; i++) sampler.next();
    const resumed = new BatchSampler(10, 3, 1);
    resumed.state = sampler.state;
    for (let i = 0; i < 9; i++) expect([...resumed.next()]).toEqual([...sampler.next()]);
  });

  test('can be looked at before they are taken, across the end of an epoch too', () => {
    const sampler = new BatchSampler(10, 3, 1);
    for (let i = 0; i < 7; i++) {
      const peeked = [...sampler.peek()];
      expect([...sampler.peek()]).toEqual(peeked);
      expect([...sampler.next()]).toEqual(peeked);
    }
  });

  test('are full though the data set is smaller', () => {
    expect(new Set(new BatchSampler(3, 8, 1).next())).toEqual(new Set([0, 1, 2]));
  });
});

test('a random generator goes on from its saved state, and its numbers are spread evenly', () => {
  const random = new Random(1, 2);
  const numbers = Array.from({ length: 10_000 }, () => random.uniform());
  expect(numbers.reduce((a, b) => a + b) / 10_000).toBeCloseTo(0.5, 1);
  const normals = Array.from({ length: 10_000 }, () => random.normal());
  expect(normals.reduce((a, b) => a + b * b, 0) / 10_000).toBeCloseTo(1, 1);
  const again = Random.fromState(random.state);
  expect(again.uint32()).toBe(random.uint32());
  expect(new Random(1).uint32()).not.toBe(new Random(2).uint32());
});
