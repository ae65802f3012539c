import type { Random } from '@caricature/tensors';
import { withGradient } from '../backend/custom-gradient.js';
import { findNodeBackend, floatType, runKernel, tf, type Tensor, type Tensor1D, type Tensor2D, type Tensor4D } from '../backend/tensorflow.js';

/** Movements in a batch: one an image would cost more than D itself. */
const GROUPS = 4;
const BLACK = -1;

/** Draws how the groups of a batch are moved: the places where their parts are cut out of images with a margin of `reach` pixels, int32 [groups, 4]. */
export function drawShifts(reach: number, random: Random): Tensor2D {
  return tf.tensor2d(Array.from({ length: GROUPS }, () => [0, random.below(2 * reach + 1), random.below(2 * reach + 1), 0]), [GROUPS, 4], 'int32');
}

/**
 * Moves images by up to `reach` pixels, all kinds alike. Gradients flow through; what comes in at the borders is black.
 * @param x [kinds · B, H, W, C], the kinds one after another
 * @param shifts of `drawShifts` with the same reach
 */
export function shiftAlike(x: Tensor4D, kinds: number, reach: number, shifts: Tensor2D): Tensor4D {
  if (reach === 0) return x;
  const count = x.shape[0] / kinds;
  const ends = Array.from({ length: GROUPS + 1 }, (_, i) => Math.floor((i * count) / GROUPS));
  const sizes = ends.slice(1).map((end, i) => end - ends[i]!);
  const moves = tf.unstack(shifts) as Tensor1D[];
  const groups = sizes.flatMap((size, i) => (size > 0 ? [{ size, shift: shiftBy(moves[i]!, reach) }] : []));
  const parts = tf.split(x, Array.from({ length: kinds }, () => groups.map(({ size }) => size)).flat()) as Tensor4D[];
  return tf.concat(parts.map((part, i) => groups[i % groups.length]!.shift(part)));
}

function shiftBy(start: Tensor1D, reach: number): (x: Tensor4D) => Tensor4D {
  return (findNodeBackend() ? movedByKernels(start, reach) : movedByNumbers(start.arraySync() as [number, number, number, number], reach)) as (x: Tensor4D) => Tensor4D;
}

function movedByNumbers(start: [number, number, number, number], reach: number): (x: Tensor) => Tensor {
  return (x) => tf.pad(x as Tensor4D, marginsOf(reach), BLACK).slice(start, x.shape as [number, number, number, number]);
}

/** TensorFlow's kernels take places as tensors, which differ from step to step though the step is compiled once. */
function movedByKernels(start: Tensor1D, reach: number): (x: Tensor) => Tensor {
  return withGradient(
    (x) => ({ value: cut(tf.pad(x as Tensor4D, marginsOf(reach), BLACK), start, x.shape), saved: [start] }),
    (dy, [from]) => cut(pad(dy, from!, tf.tensor1d([0, 2 * reach, 2 * reach, 0], 'int32').sub(from!)), tf.tensor1d([0, reach, reach, 0], 'int32'), dy.shape),
  );
}

function marginsOf(reach: number): [number, number][] {
  return [[0, 0], [reach, reach], [reach, reach], [0, 0]];
}

function cut(x: Tensor, start: Tensor1D, shape: number[]): Tensor {
  return runKernel('Slice', [x, start, tf.tensor1d(shape, 'int32')], 1, (b) => [floatType(b), { name: 'Index', type: b.TF_ATTR_TYPE!, value: b.TF_INT32 }])[0]!;
}

/** With zeros. */
function pad(x: Tensor, before: Tensor, after: Tensor): Tensor {
  return runKernel('Pad', [x, tf.stack([before, after], 1)], 1, (b) => [floatType(b), { name: 'Tpaddings', type: b.TF_ATTR_TYPE!, value: b.TF_INT32 }])[0]!;
}
