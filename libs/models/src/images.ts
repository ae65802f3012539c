import type { Dataset } from '@caricature/tensors';
import { toValues } from './batches/batch-images.js';
import { tf, type Tensor2D, type Tensor4D } from './backend/tensorflow.js';

/** uint8 pixels → float32 in −1…1, [B, H, W, C]. */
export function toTensor(images: Uint8Array, shape: [number, number, number]): Tensor4D {
  return tf.tensor4d(toValues(images), [images.length / (shape[0] * shape[1] * shape[2]), ...shape]);
}

/** −1…1 → uint8 pixels, rounded and clipped. */
export function toPixels(images: { dataSync(): ArrayLike<number> }): Uint8Array {
  const values = images.dataSync();
  const pixels = new Uint8ClampedArray(values.length);
  for (let i = 0; i < pixels.length; i++) pixels[i] = (values[i]! + 1) * 127.5;
  return new Uint8Array(pixels.buffer);
}

/** Labels as rows of one 1 [B, size]; a row of zeros for an unknown one (−1), which takes no part in a cross-entropy. */
export function oneHot(labels: ArrayLike<number>, size: number): Tensor2D {
  const values = new Float32Array(labels.length * size);
  for (let b = 0; b < labels.length; b++) if (labels[b]! >= 0) values[b * size + labels[b]!] = 1;
  return tf.tensor2d(values, [labels.length, size]);
}

/** Whether any image of a data set has colour; it is read only up to the first that has. */
export function hasColour(dataset: Dataset): boolean {
  const channels = dataset.shape[2];
  for (let i = 0; i < dataset.count; i++) {
    const image = dataset.image(i);
    for (let k = 0; k < image.length; k++) if (image[k] !== image[k - (k % channels)]) return true;
  }
  return false;
}
