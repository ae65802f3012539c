import { type Dataset, Random } from '@caricature/tensors';
import { augment, type Augmentation } from './augmentation.js';

/** What a batch's images are made from, beside the data set. */
export interface BatchImagesOptions {
  augmentation: Augmentation;
  seed: number;
}

/** Images of a data set for a network. They depend on these and on the options alone, whoever makes them. */
export interface BatchImagesRequest {
  indices: Int32Array;
  step: number;
}

/** The images as they go into a network, float32 in −1…1, [B, H, W, C]. */
export function makeBatchImages(dataset: Dataset, { indices, step }: BatchImagesRequest, { augmentation, seed }: BatchImagesOptions): Float32Array {
  const { images } = dataset.batch(indices);
  if (augmentation !== 'none') augment(images, dataset.shape, new Random(seed, step, 1), augmentation);
  return toValues(images);
}

/** uint8 pixels → −1…1 (x / 127.5 − 1). */
export function toValues(pixels: Uint8Array): Float32Array {
  const values = new Float32Array(pixels.length);
  for (let i = 0; i < values.length; i++) values[i] = pixels[i]! / 127.5 - 1;
  return values;
}
