import { findNodeBackend, runKernel, tf, type Tensor } from '../backend/tensorflow.js';
import { philoxUniform } from './philox.js';

/**
 * Zeroes a share `rate` of the values and scales the rest up. The mask depends on the seeds alone, so a resumed run draws what an
 * uninterrupted one does, on whatever backend.
 * @param seeds two 32-bit integers, such as the step and the layer's place
 */
export function dropout(x: Tensor, rate: number, seeds: [number, number]): Tensor {
  const uniform = findNodeBackend() ? statelessUniform(x.shape, seeds) : tf.tensor(philoxUniform(x.size, seeds), x.shape);
  const mask = tf.floor(uniform.add(1 - rate)).mul(1 / (1 - rate));
  return x.mul(mask);
}

function statelessUniform(shape: number[], seeds: [number, number]): Tensor {
  const inputs = [tf.tensor1d(shape, 'int32'), tf.tensor1d(seeds, 'int32')];
  return runKernel('StatelessRandomUniform', inputs, 1, (b) => [
    { name: 'dtype', type: b.TF_ATTR_TYPE!, value: b.TF_FLOAT },
    { name: 'T', type: b.TF_ATTR_TYPE!, value: b.TF_INT32 },
    { name: 'Tseed', type: b.TF_ATTR_TYPE!, value: b.TF_INT32 },
  ])[0]!;
}
