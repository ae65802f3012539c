import { readFileSync } from 'node:fs';
import path from 'node:path';
import { decodeNpy } from '@caricature/tensors';
import { tf, type Tensor, type Variable } from '../../src/backend/tensorflow.js';
import type { NetworkDescription } from '../../src/layers/description.js';
import { eachParameter, Network } from '../../src/layers/network.js';

const GOLDEN = path.resolve(import.meta.dirname, '..');
const NOISE = readGolden('noise');

/** An array that make.py wrote, in the order of its memory. @param name its path in this folder, without `.npy` */
export function readGolden(name: string): Float32Array {
  return decodeNpy(readFileSync(path.join(GOLDEN, `${name}.npy`))).data as Float32Array;
}

/** What a case is fed with: the committed normal noise, taken one value after another, from the start again at its end. make.py takes the same values. */
export class Noise {
  private position = 0;

  values(count: number): Float32Array {
    const taken = Float32Array.from({ length: count }, (_, i) => NOISE[(this.position + i) % NOISE.length]!);
    this.position += count;
    return taken;
  }

  tensor(shape: number[]): Tensor {
    return tf.tensor(this.values(sizeOf(shape)), shape);
  }

  /** uint8 images, `count` of them one after another. */
  images(count: number, shape: number[]): Uint8Array {
    return Uint8Array.from(this.values(count * sizeOf(shape)), (value) => Math.min(255, Math.max(0, Math.floor(128 + 60 * value))));
  }

  /** A network with scales and running statistics that are not the first ones. */
  network(description: NetworkDescription): Network {
    const parameters = new Map<string, Variable>();
    eachParameter(description, (name, shape, _, parameter) => {
      const values = this.values(sizeOf(shape)).map((value) => parameterValue(parameter, value));
      parameters.set(name, tf.tidy(() => tf.variable(tf.tensor(values, shape), !parameter.startsWith('moving_'))));
    });
    return new Network(description, parameters);
  }
}

function parameterValue(parameter: string, value: number): number {
  if (parameter === 'kernel') return 0.15 * value;
  if (parameter === 'gamma') return 1 + 0.2 * value;
  return parameter === 'moving_variance' ? 1 + 0.2 * Math.abs(value) : 0.2 * value;
}

export function sizeOf(shape: number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** All values of several arrays, one after another. */
export function flat(arrays: Iterable<ArrayLike<number>>): Float32Array {
  return Float32Array.from([...arrays].flatMap((values) => Array.from(values)));
}
