import { Random } from '@caricature/tensors';
import { findNodeBackend, runKernel, tf, type Tensor } from '../backend/tensorflow.js';

/**
 * Zeroes a share `rate` of the values and scales the rest up. The mask depends on the seeds alone, so a resumed run draws what an
 * uninterrupted one does.
 * @param seeds two integers, such as the step and the layer's place
 */
export function dropout(x: Tensor, rate: number, seeds: [number, number]): Tensor {
  const uniform = findNodeBackend() ? statelessUniform(x.shape, seeds) : plainUniform(x.shape, seeds);
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

function plainUniform(shape: number[], seeds: [number, number]): Tensor {
  const random = new Random(...seeds);
  return tf.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.uniform()), shape);
}
