import { createHash } from 'node:crypto';
import { closeSync, openSync, promises as fs, readSync, statSync } from 'node:fs';
import path from 'node:path';
import { type DatasetManifest, readManifest, type ShardEntry } from './manifest.js';
import { decodeNpy, decodeNpyHeader, npyDataBytes, type NpyType } from './npy.js';
import { DatasetError } from './tensors.error.js';

export interface Batch {
  /** uint8 [B, H, W, C]. */
  images: Uint8Array;
  /** int32 [B]. */
  labels: Int32Array;
}

/**
 * A folder of shards with random access. Images stay on disk (the operating system caches what is read often), so a data set
 * may be larger than memory; labels and traits are held.
 */
export class Dataset {
  private readonly starts: number[] = [];

  private constructor(
    readonly folder: string,
    readonly manifest: DatasetManifest,
    /** int32 [count]. */
    readonly labels: Int32Array,
    /** int32 [count, traitNames.length], or undefined when true traits are not known. */
    readonly traits: Int32Array | undefined,
    private readonly files: { descriptor: number; offset: number }[],
  ) {
    let start = 0;
    for (const shard of manifest.shards) {
      this.starts.push(start);
      start += shard.count;
    }
  }

  /**
   * Opens a data set, checking the manifest against every file's header and size; with `verifyDigests` also against the
   * SHA-256 of its content. Throws DatasetError that names the file.
   */
  static async open(folder: string, options: { verifyDigests?: boolean } = {}): Promise<Dataset> {
    const manifest = await readManifest(folder);
    const labels = new Int32Array(manifest.count);
    const width = manifest.traitNames?.length ?? 0;
    const traits = width > 0 ? new Int32Array(manifest.count * width).fill(-1) : undefined;
    const files: { descriptor: number; offset: number }[] = [];
    let start = 0;
    for (const shard of manifest.shards) {
      if (options.verifyDigests) await verifyDigests(folder, shard);
      labels.set(await readInts(folder, shard.labelsFile, [shard.count]), start);
      if (traits && shard.traitsFile) traits.set(await readInts(folder, shard.traitsFile, [shard.count, width]), start * width);
      files.push(openImages(path.join(folder, shard.file), [shard.count, ...manifest.shape]));
      start += shard.count;
    }
    checkLabels(labels, manifest, folder);
    return new Dataset(folder, manifest, labels, traits, files);
  }

  get count(): number {
    return this.manifest.count;
  }

  /** [H, W, C] of one image. */
  get shape(): [number, number, number] {
    return this.manifest.shape;
  }

  /** Image i, uint8 [H, W, C]; written into `into` when given. */
  image(i: number, into = new Uint8Array(this.imageBytes)): Uint8Array {
    if (!(i >= 0 && i < this.count)) throw new DatasetError(`image ${i} of ${this.count} in ${this.folder}`);
    const shard = this.shardOf(i);
    const { descriptor, offset } = this.files[shard]!;
    const position = offset + (i - this.starts[shard]!) * this.imageBytes;
    const bytes = readSync(descriptor, into, 0, this.imageBytes, position);
    if (bytes !== this.imageBytes) throw new DatasetError(`${this.folder} was cut off while it was read`);
    return into;
  }

  /** The true traits of image i in the order of `manifest.traitNames`, −1 where unknown. */
  traitsOf(i: number): Int32Array | undefined {
    const width = this.manifest.traitNames?.length ?? 0;
    return this.traits?.subarray(i * width, (i + 1) * width);
  }

  batch(indices: ArrayLike<number>): Batch {
    const images = new Uint8Array(indices.length * this.imageBytes);
    const labels = new Int32Array(indices.length);
    for (let k = 0; k < indices.length; k++) {
      this.image(indices[k]!, images.subarray(k * this.imageBytes, (k + 1) * this.imageBytes));
      labels[k] = this.labels[indices[k]!]!;
    }
    return { images, labels };
  }

  close(): void {
    for (const { descriptor } of this.files.splice(0)) closeSync(descriptor);
  }

  private get imageBytes(): number {
    return this.shape.reduce((a, b) => a * b, 1);
  }

  private shardOf(i: number): number {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle]! <= i) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function openImages(file: string, shape: number[]): { descriptor: number; offset: number } {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch {
    throw new DatasetError(`${file} is missing`);
  }
  const start = Buffer.alloc(4096);
  const length = readSync(descriptor, start, 0, start.length, 0);
  const header = decodeNpyHeader(start.subarray(0, length));
  checkArray(file, 'uint8', shape, header);
  if (statSync(file).size !== header.offset + npyDataBytes(header)) throw new DatasetError(`${file} is not as long as its header says: make the data set again`);
  return { descriptor, offset: header.offset };
}

async function readInts(folder: string, name: string, shape: number[]): Promise<Int32Array> {
  const file = path.join(folder, path.basename(name));
  const bytes = await fs.readFile(file).catch(() => {
    throw new DatasetError(`${file} is missing`);
  });
  checkArray(file, 'int32', shape, decodeNpyHeader(bytes));
  return decodeNpy(bytes).data as Int32Array;
}

function checkArray(file: string, dtype: NpyType, shape: number[], found: { dtype: NpyType; shape: number[] }): void {
  if (found.dtype === dtype && found.shape.join() === shape.join()) return;
  throw new DatasetError(`${file} holds ${found.dtype} (${found.shape.join(', ')}), but the manifest says ${dtype} (${shape.join(', ')})`);
}

function checkLabels(labels: Int32Array, { numLabels }: DatasetManifest, folder: string): void {
  const wrong = labels.find((label) => label < 0 || label >= numLabels);
  if (wrong !== undefined) throw new DatasetError(`${folder} has a label ${wrong}, but only ${numLabels} labels`);
}

async function verifyDigests(folder: string, shard: ShardEntry): Promise<void> {
  const wanted: [string | undefined, string | undefined][] = [
    [shard.file, shard.sha256],
    [shard.labelsFile, shard.labelsSha256],
    [shard.traitsFile, shard.traitsSha256],
  ];
  for (const [name, sha256] of wanted) {
    if (!name || !sha256) continue;
    const bytes = await fs.readFile(path.join(folder, name));
    if (createHash('sha256').update(bytes).digest('hex') !== sha256) throw new DatasetError(`${path.join(folder, name)} does not match its SHA-256: make the data set again`);
  }
}
