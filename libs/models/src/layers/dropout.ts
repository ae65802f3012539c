import { findNodeBackend, runKernel, tf, type Tensor, type Tensor1D } from '../backend/tensorflow.js';
import { philoxUniform } from './philox.js';

/** Two 32-bit integers, such as the step and a layer's place; as a tensor (int32, [2]) where a compiled step is given them. */
export type Seeds = [number, number] | Tensor1D;

/** What names a step's masks: the run's seed mixed with the step, an int32 scalar. */
export function dropoutSeedOf(seed: number, step: number): Tensor {
  return tf.scalar(seed * 65_537 + step, 'int32');
}

/** @param step what differs from step to step, a number or (int32) a scalar */
export function seedsOf(step: number | Tensor, place: number): Seeds {
  return typeof step === 'number' ? [step, place] : (tf.stack([step, tf.scalar(place, 'int32')]) as Tensor1D);
}

/**
 * Zeroes a share `rate` of the values and scales the rest up. The mask depends on the seeds alone, so a resumed run draws what an
 * uninterrupted one does, on whatever backend.
 */
export function dropout(x: Tensor, rate: number, seeds: Seeds): Tensor {
  const mask = tf.floor(uniform(x.shape, seeds).add(1 - rate)).mul(1 / (1 - rate));
  return x.mul(mask);
}

/** Numbers in [0, 1) that depend on the seeds alone: the same on whatever backend. */
export function uniform(shape: number[], seeds: Seeds): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const given = seeds instanceof tf.Tensor ? seeds : tf.tensor1d(seeds, 'int32');
  return findNodeBackend() ? statelessUniform(shape, given) : tf.tensor(philoxUniform(size, given.arraySync() as [number, number]), shape);
}

function statelessUniform(shape: number[], seeds: Tensor1D): Tensor {
  const inputs = [tf.tensor1d(shape, 'int32'), seeds];
  return runKernel('StatelessRandomUniform', inputs, 1, (b) => [
    { name: 'dtype', type: b.TF_ATTR_TYPE!, value: b.TF_FLOAT },
    { name: 'T', type: b.TF_ATTR_TYPE!, value: b.TF_INT32 },
    { name: 'Tseed', type: b.TF_ATTR_TYPE!, value: b.TF_INT32 },
  ])[0]!;
}
