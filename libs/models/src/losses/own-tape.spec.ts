import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tf, type Tensor } from '../backend/tensorflow.js';
import { onOwnTape } from './own-tape.js';

let before: number;
beforeEach(() => void (before = tf.memory().numTensors));
afterEach(() => expect(tf.memory().numTensors).toBe(before));

const plain = (x: Tensor, term: (x: Tensor) => Tensor) => term(x);
const cubes = (x: Tensor) => x.square().mul(x).sum();
const waves = (x: Tensor) => x.sin().mean();

/** A loss whose parts come before, between and after its terms. */
function lossAndGradient(as: typeof plain): { value: number; grad: number[] } {
  return tf.tidy(() => {
    const { value, grad } = tf.valueAndGrad((x: Tensor) => {
      const y = x.mul(3).tanh();
      return tf.addN([as(y, cubes).mul(5), y.square().sum(), as(y.slice([1], [2]), waves)]);
    })(tf.tensor1d([0.1, -0.4, 0.3, 0.2]));
    return { value: value.dataSync()[0]!, grad: [...grad.dataSync()] };
  });
}

describe('a term on its own tape', () => {
  it('has the value and the gradient that it has otherwise', () => {
    const [own, together] = [lossAndGradient(onOwnTape), lossAndGradient(plain)];
    expect(own.value).toBeCloseTo(together.value, 5);
    own.grad.forEach((value, i) => expect(value).toBeCloseTo(together.grad[i]!, 5));
  });

  it('has freed what it needed before the rest is computed', () => {
    const tensorsAfter = (as: typeof plain) => {
      let count = 0;
      const gradient = tf.grad((x: Tensor) => {
        const term = as(x, (inner) => Array.from({ length: 50 }).reduce((value: Tensor) => value.sin(), inner).sum());
        count = tf.memory().numTensors - before;
        return term.mul(x.sum());
      });
      tf.tidy(() => void gradient(tf.tensor1d([0.5, 0.2])));
      return count;
    };
    expect(tensorsAfter(plain)).toBeGreaterThan(50);
    expect(tensorsAfter(onOwnTape)).toBeLessThan(10);
  });

  it('leaves the tape as it was when it fails', () => {
    const failing = () => onOwnTape(tf.scalar(1), () => { throw new Error('no'); });
    expect(() => tf.tidy(() => tf.grad((x: Tensor) => x.mul(failing()))(tf.scalar(2)))).toThrow('no');
    expect(lossAndGradient(onOwnTape).value).toBeCloseTo(lossAndGradient(plain).value, 5);
  });
});
