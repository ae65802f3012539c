import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import type { NamedTensor } from '../layers/network.js';
import { CheckpointError } from '../models.error.js';

const MAGIC = 'CARICATURE-CHECKPOINT-2\n';

/** Everything that a run needs to go on as if it had not stopped. */
export interface Checkpoint {
  /** Steps done. */
  step: number;
  /** The resolved configuration; a checkpoint of another one is refused. */
  config: unknown;
  /** What is not a tensor: places in the data, random states, counts. */
  state: Record<string, unknown>;
  tensors: Map<string, NamedTensor>;
}

interface Header extends Omit<Checkpoint, 'tensors'> {
  tensors: { name: string; shape: number[] }[];
  sha256: string;
}

/** Writes a checkpoint into one file: a line of JSON, then the weights as little-endian float32. The old file stays until the new one is whole. */
export async function saveCheckpoint(file: string, { tensors, ...rest }: Checkpoint): Promise<void> {
  const buffers = [...tensors.values()].map(({ values }) => Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  const data = Buffer.concat(buffers);
  const header: Header = { ...rest, tensors: [...tensors].map(([name, { shape }]) => ({ name, shape })), sha256: createHash('sha256').update(data).digest('hex') };
  const temporary = `${file}.partial`;
  await fs.mkdir(path.dirname(file), { recursive: true });
  const handle = await fs.open(temporary, 'w');
  try {
    await handle.writeFile(Buffer.concat([Buffer.from(`${MAGIC}${JSON.stringify(header)}\n`), data]));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await fs.rename(temporary, file);
}

/** Reads a checkpoint, or gives undefined when there is none. Throws CheckpointError when it is damaged or of another configuration. */
export async function findCheckpoint(file: string, config: unknown): Promise<Checkpoint | undefined> {
  const bytes = await fs.readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return bytes && decode(bytes, file, config);
}

/** The steps done in a checkpoint's bytes, without reading its weights. Throws CheckpointError. */
export function checkpointStep(bytes: Buffer): number {
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) throw new CheckpointError('this is no checkpoint of this version: remove it to start anew');
  return (JSON.parse(bytes.toString('utf8', MAGIC.length, bytes.indexOf('\n', MAGIC.length))) as Header).step;
}

function decode(bytes: Buffer, file: string, config: unknown): Checkpoint {
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) throw new CheckpointError(`${file} is no checkpoint of this version: remove it to start anew`);
  const end = bytes.indexOf('\n', MAGIC.length);
  const { tensors, sha256, ...rest } = JSON.parse(bytes.toString('utf8', MAGIC.length, end)) as Header;
  const data = bytes.subarray(end + 1);
  if (createHash('sha256').update(data).digest('hex') !== sha256) throw new CheckpointError(`${file} is damaged: remove it to start anew`);
  const difference = findDifference(rest.config, config);
  if (difference) throw new CheckpointError(`${file} is of another configuration (${difference}): resume with that one, or remove the file to start anew`);
  let offset = 0;
  const entries = tensors.map(({ name, shape }): [string, NamedTensor] => {
    const length = shape.reduce((a, b) => a * b, 4);
    const values = new Float32Array(new Uint8Array(data.subarray(offset, offset + length)).buffer);
    offset += length;
    return [name, { shape, values }];
  });
  return { ...rest, tensors: new Map(entries) };
}

/** The first path at which two JSON values differ, with both values. */
function findDifference(saved: unknown, wanted: unknown, at = ''): string | undefined {
  if (typeof saved === 'object' && saved && typeof wanted === 'object' && wanted) {
    const keys = new Set([...Object.keys(saved), ...Object.keys(wanted)]);
    for (const key of keys) {
      const found = findDifference((saved as Record<string, unknown>)[key], (wanted as Record<string, unknown>)[key], at ? `${at}.${key}` : key);
      if (found) return found;
    }
    return undefined;
  }
  return saved === wanted ? undefined : `${at}: saved ${JSON.stringify(saved)}, now ${JSON.stringify(wanted)}`;
}

/** The tensors under `prefix/`, with the prefix taken off. */
export function tensorsUnder(tensors: Map<string, NamedTensor>, prefix: string): Map<string, NamedTensor> {
  const start = `${prefix}/`;
  return new Map([...tensors].filter(([name]) => name.startsWith(start)).map(([name, tensor]) => [name.slice(start.length), tensor]));
}

/** The same tensors with `prefix/` before their names. */
export function withPrefix(prefix: string, tensors: Map<string, NamedTensor>): [string, NamedTensor][] {
  return [...tensors].map(([name, tensor]) => [`${prefix}/${name}`, tensor]);
}
