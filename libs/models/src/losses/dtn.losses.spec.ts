import { describe, expect, test } from 'vitest';
import { tf, type Tensor, type Tensor4D } from '../backend/tensorflow.js';
import { constancyLoss, crossEntropy, discriminatorLoss, generatorLoss, identityLoss, totalVariationLoss } from './dtn.losses.js';

const value = (tensor: Tensor) => tensor.dataSync()[0]!;
/** Logits whose softmax is the given distribution. */
const logits = (...rows: number[][]) => tf.tensor2d(rows).log();

describe('the DTN losses', () => {
  test('L_D sums −log of each class’s own probability', () => {
    const loss = discriminatorLoss([logits([0.5, 0.2, 0.3]), logits([0.1, 0.8, 0.1]), logits([0.3, 0.3, 0.4])]);
    expect(value(loss)).toBeCloseTo(-Math.log(0.5) - Math.log(0.8) - Math.log(0.4), 5);
  });

  test('smoothing moves a share of the target to the other classes', () => {
    const same = logits([0.7, 0.2, 0.1]);
    const loss = discriminatorLoss([same, same, same], 0.2);
    const perClass = [0.7, 0.2, 0.1].map((_, k) => -[0.7, 0.2, 0.1].reduce((sum, p, c) => sum + (c === k ? 0.8 : 0.1) * Math.log(p), 0));
    expect(value(loss)).toBeCloseTo(perClass.reduce((a, b) => a + b), 4);
  });

  test('L_GANG asks for class 3 from both kinds of pictures, as means over the batch', () => {
    const loss = generatorLoss(logits([0.2, 0.2, 0.6], [0.1, 0.1, 0.8]), logits([0.25, 0.5, 0.25], [0.25, 0.5, 0.25]));
    expect(value(loss)).toBeCloseTo(-(Math.log(0.6) + Math.log(0.8)) / 2 - Math.log(0.25), 5);
  });

  test('stay finite for logits that a softmax would round to 0', () => {
    const sure = tf.tensor2d([[1e4, 0, -1e4]]);
    expect(value(discriminatorLoss([sure, sure, sure]))).toBeCloseTo(3e4, -1);
    expect(value(generatorLoss(sure, sure))).toBeCloseTo(4e4, -1);
  });

  test('L_CONST and L_TID are mean squared errors', () => {
    expect(value(constancyLoss(tf.tensor2d([[1, 2]]), tf.tensor2d([[2, 4]])))).toBeCloseTo(2.5);
    expect(value(identityLoss(tf.tensor1d([1, -1]), tf.tensor1d([0, 0])))).toBeCloseTo(1);
  });

  test('L_TV is 0 for one colour and counts steps between neighbours', () => {
    expect(value(totalVariationLoss(tf.ones([1, 4, 4, 3]) as Tensor4D))).toBe(0);
    expect(value(totalVariationLoss(tf.tensor4d([0, 1, 0, 1], [1, 2, 2, 1])))).toBeCloseTo(1);
  });

  test('cross-entropy leaves out rows of unknown class', () => {
    expect(value(crossEntropy(logits([0.5, 0.5], [0.9, 0.1]), tf.tensor2d([[1, 0], [0, 0]])))).toBeCloseTo(-Math.log(0.5) / 2, 5);
  });
});
