import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { type DatasetManifest, MANIFEST_FILE, type ShardEntry } from './manifest.js';
import { encodeNpy, type NpyArray } from './npy.js';
import { DatasetError } from './tensors.error.js';

export interface ShardWriterOptions {
  folder: string;
  /** [H, W, C]. */
  shape: [number, number, number];
  labelNames: string[];
  /** Given when the images' true traits are known; `add` then takes one value a name. */
  traitNames?: string[];
  imagesPerShard?: number;
  from?: unknown;
}

/**
 * Streams images into a data set: `shard-00000.npy`, `labels-00000.npy` [, `traits-00000.npy`], …, and `manifest.json` last.
 * Holds one shard in memory. Every file appears under its name only when it is whole.
 */
export class ShardWriter {
  private readonly shards: ShardEntry[] = [];
  private readonly images: Uint8Array;
  private readonly labels: Int32Array;
  private readonly traits: Int32Array;
  private readonly imageSize: number;
  private filled = 0;

  constructor(private readonly options: ShardWriterOptions) {
    const capacity = options.imagesPerShard ?? 100;
    this.imageSize = options.shape.reduce((a, b) => a * b, 1);
    this.images = new Uint8Array(capacity * this.imageSize);
    this.labels = new Int32Array(capacity);
    this.traits = new Int32Array(capacity * this.traitCount);
  }

  /** Images written so far. */
  get count(): number {
    return this.shards.reduce((sum, shard) => sum + shard.count, this.filled);
  }

  /**
   * @param image uint8 [H, W, C], row by row
   * @param label its index in `labelNames`
   * @param traits one value a trait name, −1 for unknown
   */
  async add(image: Uint8Array, label: number, traits?: ArrayLike<number>): Promise<void> {
    if (image.length !== this.imageSize) throw new DatasetError(`an image of ${this.options.shape.join('×')} has ${this.imageSize} bytes, got ${image.length}`);
    if (!(label >= 0 && label < this.options.labelNames.length)) throw new DatasetError(`label ${label} is not below ${this.options.labelNames.length}, the number of label names`);
    this.images.set(image, this.filled * this.imageSize);
    this.labels[this.filled] = label;
    for (let i = 0; i < this.traitCount; i++) this.traits[this.filled * this.traitCount + i] = traits?.[i] ?? -1;
    this.filled += 1;
    if (this.filled === this.labels.length) await this.flush();
  }

  /** Writes the last shard (shorter when the images do not fill it) and the manifest. */
  async finish(): Promise<DatasetManifest> {
    await this.flush();
    const { shape, labelNames, traitNames, from = null } = this.options;
    const manifest: DatasetManifest = { count: this.count, shape, numLabels: labelNames.length, labelNames, ...(traitNames && { traitNames }), shards: this.shards, from };
    await fs.mkdir(this.options.folder, { recursive: true });
    await this.write(MANIFEST_FILE, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
    return manifest;
  }

  private get traitCount(): number {
    return this.options.traitNames?.length ?? 0;
  }

  private async flush(): Promise<void> {
    if (this.filled === 0) return;
    const count = this.filled;
    const suffix = `${String(this.shards.length).padStart(5, '0')}.npy`;
    await fs.mkdir(this.options.folder, { recursive: true });
    const file = `shard-${suffix}`;
    const sha256 = await this.writeNpy(file, { data: this.images.subarray(0, count * this.imageSize), shape: [count, ...this.options.shape] });
    const labelsFile = `labels-${suffix}`;
    const labelsSha256 = await this.writeNpy(labelsFile, { data: this.labels.subarray(0, count), shape: [count] });
    const entry: ShardEntry = { file, labelsFile, sha256, labelsSha256, count };
    if (this.traitCount > 0) {
      entry.traitsFile = `traits-${suffix}`;
      entry.traitsSha256 = await this.writeNpy(entry.traitsFile, { data: this.traits.subarray(0, count * this.traitCount), shape: [count, this.traitCount] });
    }
    this.shards.push(entry);
    this.filled = 0;
  }

  private async writeNpy(name: string, array: NpyArray): Promise<string> {
    const bytes = encodeNpy(array);
    await this.write(name, bytes);
    return createHash('sha256').update(bytes).digest('hex');
  }

  private async write(name: string, bytes: Buffer): Promise<void> {
    const target = path.join(this.options.folder, name);
    const temporary = `${target}.partial`;
    await fs.writeFile(temporary, bytes);
    await fs.rename(temporary, target);
  }
}
