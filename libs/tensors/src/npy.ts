import { NpyFormatError } from './tensors.error.js';

const MAGIC = Buffer.from('\x93NUMPY\x01\x00', 'latin1');
/** NumPy aligns the data to 64 bytes so that a memory map of it is aligned too. */
const ALIGNMENT = 64;

export type NpyData = Uint8Array | Int32Array | Float32Array;
export type NpyType = 'uint8' | 'int32' | 'float32';

export interface NpyArray<D extends NpyData = NpyData> {
  data: D;
  shape: number[];
}

export interface NpyHeader {
  dtype: NpyType;
  shape: number[];
  /** Bytes before the data. */
  offset: number;
}

const DESCRIPTIONS: Record<NpyType, string> = { uint8: '|u1', int32: '<i4', float32: '<f4' };
const ITEM_BYTES: Record<NpyType, number> = { uint8: 1, int32: 4, float32: 4 };

/** The header (with magic) of a version 1.0 .npy file in C order; the little-endian data follow it. */
export function encodeNpyHeader(dtype: NpyType, shape: number[]): Buffer {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${DESCRIPTIONS[dtype]}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const unpadded = MAGIC.length + 2 + text.length + 1;
  const padded = Math.ceil(unpadded / ALIGNMENT) * ALIGNMENT;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(padded - MAGIC.length - 2);
  return Buffer.concat([MAGIC, length, Buffer.from(`${text.padEnd(text.length + padded - unpadded)}\n`, 'latin1')]);
}

/** A whole .npy file. Throws NpyFormatError when data and shape disagree. */
export function encodeNpy({ data, shape }: NpyArray): Buffer {
  const count = shape.reduce((a, b) => a * b, 1);
  if (count !== data.length) throw new NpyFormatError(`shape (${shape.join(', ')}) needs ${count} values, got ${data.length}`);
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.concat([encodeNpyHeader(npyTypeOf(data), shape), bytes]);
}

/** Reads a whole .npy file. Throws NpyFormatError for another format, type or order, or a truncated file. */
export function decodeNpy(file: Buffer): NpyArray {
  const { dtype, shape, offset } = decodeNpyHeader(file);
  const bytes = npyDataBytes({ dtype, shape });
  if (file.length !== offset + bytes) throw new NpyFormatError(`expected ${offset + bytes} bytes, found ${file.length}: the file is damaged, make it again`);
  const copy = new Uint8Array(file.subarray(offset)).buffer;
  const data = dtype === 'uint8' ? new Uint8Array(copy) : dtype === 'int32' ? new Int32Array(copy) : new Float32Array(copy);
  return { data, shape };
}

/** Reads the header from a file's first bytes (128 are enough for what this module writes). */
export function decodeNpyHeader(start: Buffer): NpyHeader {
  if (start.length < 10 || !start.subarray(0, 6).equals(MAGIC.subarray(0, 6))) throw new NpyFormatError('not a .npy file');
  const wide = start[6]! >= 2;
  const length = wide ? start.readUInt32LE(8) : start.readUInt16LE(8);
  const offset = (wide ? 12 : 10) + length;
  if (start.length < offset) throw new NpyFormatError('the header is cut off');
  const text = start.toString('latin1', wide ? 12 : 10, offset);
  const description = /'descr': *'([^']+)'/.exec(text)?.[1];
  const dtype = (Object.keys(DESCRIPTIONS) as NpyType[]).find((t) => DESCRIPTIONS[t] === description);
  if (!dtype) throw new NpyFormatError(`type ${description} is not one of uint8, int32, float32 (little-endian)`);
  if (!/'fortran_order': *False/.test(text)) throw new NpyFormatError('Fortran order is not read: save it in C order');
  const tuple = /'shape': *\(([^)]*)\)/.exec(text)?.[1];
  if (tuple === undefined) throw new NpyFormatError('the header names no shape');
  return { dtype, shape: tuple.split(',').filter((s) => s.trim() !== '').map(Number), offset };
}

export function npyDataBytes({ dtype, shape }: Pick<NpyHeader, 'dtype' | 'shape'>): number {
  return shape.reduce((a, b) => a * b, ITEM_BYTES[dtype]);
}

function npyTypeOf(data: NpyData): NpyType {
  if (data instanceof Int32Array) return 'int32';
  return data instanceof Float32Array ? 'float32' : 'uint8';
}
