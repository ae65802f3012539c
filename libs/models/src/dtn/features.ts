import type { Dataset } from '@caricature/tensors';
import { tf } from '../backend/tensorflow.js';
import { toTensor } from '../images.js';
import type { Network } from '../layers/network.js';

const CHUNK = 128;

/** A network's output on many images: row i is that of `indices[i]`. */
export interface Features {
  values: Float32Array;
  size: number;
}

/** Applies a frozen network to images of a data set once, so that training need not repeat it every step. */
export function computeFeatures(network: Network, dataset: Dataset, indices?: ArrayLike<number>): Features {
  const size = network.outputShape.reduce((a, b) => a * b, 1);
  const count = indices?.length ?? dataset.count;
  const values = new Float32Array(count * size);
  for (let start = 0; start < count; start += CHUNK) {
    const chunk = Array.from({ length: Math.min(CHUNK, count - start) }, (_, k) => indices?.[start + k] ?? start + k);
    tf.tidy(() => values.set(network.apply(toTensor(dataset.batch(chunk).images, dataset.shape)).dataSync() as Float32Array, start * size));
  }
  return { values, size };
}

/** The rows of `indices`, one after another. */
export function gatherFeatures({ values, size }: Features, indices: ArrayLike<number>): Float32Array {
  const rows = new Float32Array(indices.length * size);
  for (let k = 0; k < indices.length; k++) rows.set(values.subarray(indices[k]! * size, (indices[k]! + 1) * size), k * size);
  return rows;
}
