import { findNodeBackend, runKernel, tf, type Tensor } from '../backend/tensorflow.js';
import { philoxUniform } from './philox.js';

/**
 * Zeroes a share `rate` of the values and scales the rest up. The mask depends on the seeds alone, so a resumed run draws what an
 * uninterrupted one does, on whatever backend.
 * @param seeds two 32-bit integers, such as the step and the layer's place
 */
export function dropout(x: Tensor, rate: number, seeds: [number, number]): Tensor {
  const mask = tf.floor(uniform(x.shape, seeds).add(1 - rate)).mul(1 / (1 - rate));
  return x.mul(mask);
}

/** Numbers in [0, 1) that depend on two 32-bit integers alone: the same on whatever backend. */
export function uniform(shape: number[], seeds: [number, number]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return findNodeBackend() ? statelessUniform(shape, seeds) : tf.tensor(philoxUniform(size, seeds), shape);
}

function statelessUniform(shape: number[], seeds: [number, number]): Tensor {
  const inputs = [tf.tensor1d(shape, 'int32'), tf.tensor1d(seeds, 'int32')];
  return runKernel('StatelessRandomUniform', inputs, 1, (b) => [
    { name: 'dtype', type: b.TF_ATTR_TYPE!, value: b.TF_FLOAT },
    { name: 'T', type: b.TF_ATTR_TYPE!, value: b.TF_INT32 },
    { name: 'Tseed', type: b.TF_ATTR_TYPE!, value: b.TF_INT32 },
  ])[0]!;
}
