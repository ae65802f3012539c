export { BatchSampler, type BatchSamplerState } from './batch.sampler.js';
export { Dataset, type Batch } from './dataset.reader.js';
export { MANIFEST_FILE, readManifest, type DatasetManifest, type ShardEntry } from './manifest.js';
export { decodeNpy, decodeNpyHeader, encodeNpy, encodeNpyHeader, type NpyArray, type NpyData, type NpyHeader, type NpyType } from './npy.js';
export { Random, type RandomState } from './random.js';
export { ShardWriter, type ShardWriterOptions } from './shard.writer.js';
export { DatasetError, NpyFormatError } from './tensors.error.js';
