import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gradients, gradientsOfEach } from './gradients.js';
import { tf, type Tensor, type Tensor2D } from './tensorflow.js';

let before: number;
beforeEach(() => void (before = tf.memory().numTensors));
afterEach(() => expect(tf.memory().numTensors).toBe(before));

const a = () => tf.tensor2d([0.3, -0.2, 0.5, 0.8], [2, 2]);
const b = () => tf.tensor2d([1, 2, -1, 0.5], [2, 2]);

describe('gradients', () => {
  it.each<[string, (x: Tensor2D, y: Tensor2D) => Tensor]>([
    ['a chain', (x, y) => x.matMul(y).tanh().sum()],
    ['a value that is used in several places', (x, y) => tf.addN([x.mul(x), x.mul(y), x, x]).sum().add(x.mean())],
    ['parts, put together in another order', (x, y) => tf.concat([...tf.split(x, 2), ...tf.split(y, 2).reverse()]).square().mul(tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8], [4, 2])).sum()],
    ['outputs of which one is not used', (x, y) => (tf.split(x.mul(y), 2)[1]!).exp().sum()],
    ['a value that broadcasts', (x, y) => x.add(y.mean()).mul(y.sum(0)).sum()],
  ])('of %s are those of TensorFlow.js', (_title, f) => {
    tf.tidy(() => {
      const xs: [Tensor2D, Tensor2D] = [a(), b()];
      const { value, grads } = gradients(() => f(...xs), xs);
      const wanted = tf.valueAndGrads((x: Tensor, y: Tensor) => f(x as Tensor2D, y as Tensor2D))(xs);
      expect(value.dataSync()[0]).toBeCloseTo(wanted.value.dataSync()[0]!, 6);
      grads.forEach((grad, i) => [...grad!.dataSync()].forEach((v, k) => expect(v).toBeCloseTo(wanted.grads[i]!.dataSync()[k]!, 5)));
    });
  });

  it('are none where there is no influence', () => {
    tf.tidy(() => {
      const [x, y] = [a(), b()];
      const { grads } = gradients(() => x.square().sum(), [x, y]);
      expect(grads[1]).toBeUndefined();
      expect(grads[0]!.dataSync()[0]).toBeCloseTo(0.6, 6);
    });
  });

  it('leave nothing behind when they fail, and can be taken inside of others', () => {
    tf.tidy(() => {
      const x = a();
      expect(() => gradients(() => { x.square().exp(); throw new Error('no'); }, [x])).toThrow('no');
      const outer = gradients(() => {
        const { grads } = gradients(() => x.square().sum(), [x]);
        return x.mul(grads[0]!).sum();
      }, [x]);
      // The inner gradient is a constant to the outer one.
      expect(outer.grads[0]!.dataSync()[1]).toBeCloseTo(-0.4, 6);
    });
  });

  it('of several values come from one forward pass', () => {
    tf.tidy(() => {
      const [x, y] = [a(), b()];
      let passes = 0;
      const shared = () => {
        passes += 1;
        return x.matMul(y).tanh();
      };
      const both = gradientsOfEach(() => {
        const z = shared();
        return [z.square().sum(), z.exp().mean()];
      }, [[x], [y, x]]);
      expect(passes).toBe(1);
      const wanted = [gradients(() => shared().square().sum(), [x]), gradients(() => shared().exp().mean(), [y, x])];
      expect(both.map(({ value, grads }) => [value, ...grads].map((t) => [...t!.dataSync()]))).toEqual(wanted.map(({ value, grads }) => [value, ...grads].map((t) => [...t!.dataSync()])));
    });
  });

  it('free on the way back what is not needed any more', () => {
    let atLast = 0;
    const watched = tf.customGrad((...args) => ({
      value: (args[0] as Tensor).clone(),
      gradFunc: (dy) => {
        atLast = tf.memory().numTensors - before;
        return (dy as Tensor).clone();
      },
    }));
    tf.tidy(() => {
      const x = a();
      gradients(() => Array.from({ length: 40 }).reduce((value: Tensor) => value.sin(), watched(x)).sum(), [x]);
    });
    // There were 40 values and as many gradients.
    expect(atLast).toBeLessThan(12);
  });
});
