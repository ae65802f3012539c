import { tf, type Tensor, type Tensor4D } from '../backend/tensorflow.js';
import type { NetworkDescription } from '../layers/description.js';
import type { Network } from '../layers/network.js';
import { normalized } from '../networks.js';
import { GRID } from './place-distance.js';

/** Height and width of the pictures that the reader looks at; others are resized. */
export const READER_SIZE = 64;
const CHUNK = 128;

/**
 * The position reader: image [64, 64, C] → a logit a cell and feature, [16, 16, features]. It is all convolution and each output sees a square of 33 pixels: it
 * finds a feature by the feature itself, hardly by the rest of the face.
 */
export function describePositionReader(channels: number, features: number): NetworkDescription {
  const conv = (name: string, filters: number, kernel: number, stride: number) => normalized({ kind: 'conv', name, filters, kernel, stride, bias: false }, 'relu');
  return {
    name: 'position-reader',
    inputShape: [READER_SIZE, READER_SIZE, channels],
    layers: [
      ...conv('conv0', 16, 5, 2),
      ...conv('conv1', 32, 3, 2),
      ...conv('conv2', 32, 3, 1),
      ...conv('conv3', 32, 5, 1),
      { kind: 'conv', name: 'beliefs', filters: features, kernel: 1, stride: 1, bias: true },
    ],
  };
}

/** @param images [B, H, W, C] @returns [B, 64, 64, C] */
export function toReaderSize(images: Tensor4D): Tensor4D {
  return images.shape[1] === READER_SIZE && images.shape[2] === READER_SIZE ? images : tf.image.resizeBilinear(images, [READER_SIZE, READER_SIZE], false, true);
}

/** Logits of one softmax a picture and feature. @param output [B, 16, 16, F] @returns [B · F, 256] */
export function toBeliefLogits(output: Tensor): Tensor {
  const [batch, , , features] = output.shape as [number, number, number, number];
  return tf.transpose(tf.reshape(output, [batch, GRID * GRID, features]), [0, 2, 1]).reshape([batch * features, GRID * GRID]);
}

/**
 * Where the reader believes each feature to be.
 * @param values images [B, H, W, C] in −1…1, flattened
 * @returns [B, F, 256]
 */
export function readBeliefs(reader: Network, values: Float32Array, shape: [number, number, number]): Float32Array {
  const bytes = shape.reduce((a, b) => a * b, 1);
  const count = values.length / bytes;
  const size = reader.outputShape.at(-1)! * GRID * GRID;
  const beliefs = new Float32Array(count * size);
  for (let start = 0; start < count; start += CHUNK) {
    const end = Math.min(count, start + CHUNK);
    tf.tidy(() => {
      const images = tf.tensor4d(values.subarray(start * bytes, end * bytes), [end - start, ...shape]);
      beliefs.set(tf.softmax(toBeliefLogits(reader.apply(toReaderSize(images)))).dataSync() as Float32Array, start * size);
    });
  }
  return beliefs;
}
