import type { Random } from '@caricature/tensors';
import { tf, type Tensor4D } from '../backend/tensorflow.js';

/** Movements in a batch: one an image would cost more than D itself. */
const GROUPS = 4;

/**
 * Moves images by up to `reach` pixels, all kinds alike. Gradients flow through; what comes in at the borders is black.
 * @param x [kinds · B, H, W, C], the kinds one after another
 */
export function shiftAlike(x: Tensor4D, kinds: number, reach: number, random: Random): Tensor4D {
  if (reach === 0) return x;
  const [count, height, width, channels] = x.shape;
  const ends = Array.from({ length: GROUPS + 1 }, (_, i) => Math.floor((i * count) / kinds / GROUPS));
  const sizes = ends.slice(1).map((end, i) => end - ends[i]!).filter((size) => size > 0);
  const starts = sizes.map(() => [random.below(2 * reach + 1), random.below(2 * reach + 1)] as const);
  const parts = tf.split(x, Array.from({ length: kinds }, () => sizes).flat()) as Tensor4D[];
  const moved = parts.map((part, i) => {
    const [top, left] = starts[i % sizes.length]!;
    const padded = tf.pad(part, [[0, 0], [reach, reach], [reach, reach], [0, 0]], -1);
    return padded.slice([0, top, left, 0], [part.shape[0], height, width, channels]);
  });
  return tf.concat(moved);
}
