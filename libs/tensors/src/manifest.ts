import { promises as fs } from 'node:fs';
import path from 'node:path';
import { DatasetError } from './tensors.error.js';

export const MANIFEST_FILE = 'manifest.json';

export interface ShardEntry {
  /** uint8 (count, H, W, C). */
  file: string;
  /** int32 (count,). */
  labelsFile: string;
  /** int32 (count, traits), −1 where a trait is unknown. */
  traitsFile?: string;
  sha256: string;
  labelsSha256: string;
  traitsSha256?: string;
  count: number;
}

/** What a folder of shards holds; written last, so a folder with a manifest is whole. */
export interface DatasetManifest {
  count: number;
  /** [H, W, C] of one image. */
  shape: [number, number, number];
  numLabels: number;
  labelNames: string[];
  /** Names of the columns of the traits files, when there are any. */
  traitNames?: string[];
  shards: ShardEntry[];
  /** Where the images came from, as the writer was told. */
  from: unknown;
}

/** Reads and checks a manifest. Throws DatasetError that names the folder and what is wrong with it. */
export async function readManifest(folder: string): Promise<DatasetManifest> {
  const file = path.join(folder, MANIFEST_FILE);
  const text = await fs.readFile(file, 'utf8').catch(() => {
    throw new DatasetError(`${file} is missing: the folder is no finished data set`);
  });
  return checkManifest(parse(text, file), file);
}

function parse(text: string, file: string): DatasetManifest {
  try {
    return JSON.parse(text) as DatasetManifest;
  } catch {
    throw new DatasetError(`${file} is not JSON: make the data set again`);
  }
}

function checkManifest(manifest: DatasetManifest, file: string): DatasetManifest {
  const { count, shape, numLabels, shards } = manifest;
  if (!Array.isArray(shape) || shape.length !== 3 || !Array.isArray(shards)) throw new DatasetError(`${file} lacks "shape" [H, W, C] or "shards"`);
  const total = shards.reduce((sum, shard) => sum + shard.count, 0);
  if (total !== count) throw new DatasetError(`${file} says ${count} images, but its shards hold ${total}`);
  if (!Number.isInteger(numLabels) || numLabels < 0) throw new DatasetError(`${file} has no valid "numLabels"`);
  for (const { file: name } of shards) if (path.basename(name) !== name) throw new DatasetError(`${file} names a file outside its folder: ${name}`);
  return manifest;
}
