import { Random } from '@caricature/tensors';
import { expect, test } from 'vitest';
import { tf, type Tensor4D } from '../backend/tensorflow.js';
import { drawShifts, shiftAlike } from './shift.js';

const images = (kinds: number[], size = 8) => tf.tensor4d(kinds.flatMap((k) => Array.from({ length: size * size }, (_, i) => k + i)), [kinds.length, size, size, 1]);

test('moves the same image alike whatever its kind, and another group otherwise', () => {
  const x = images([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  const moved = tf.split(shiftAlike(x, 3, 3, drawShifts(3, new Random(4))), 12).map((part) => [...part.dataSync()]);
  for (let i = 0; i < 4; i++) {
    expect(moved[4 + i]).toEqual(moved[i]);
    expect(moved[8 + i]).toEqual(moved[i]);
  }
  expect(new Set(moved.map(String)).size).toBeGreaterThan(1);
});

test('keeps every pixel that stays inside, and takes batches that its groups do not divide', () => {
  const moved = shiftAlike(images([100, 100, 100, 100, 100, 100]), 3, 1, drawShifts(1, new Random(2)));
  expect(moved.shape).toEqual([6, 8, 8, 1]);
  for (const value of moved.dataSync()) expect(value === -1 || (value >= 100 && value < 164)).toBe(true);
});

test('lets gradients through and does nothing without a reach', () => {
  const x = images([0, 0, 0]);
  expect(shiftAlike(x, 3, 0, drawShifts(0, new Random(1)))).toBe(x);
  const shifts = drawShifts(2, new Random(1));
  const gradient = tf.grad((input) => shiftAlike(input as Tensor4D, 3, 2, shifts).sum())(x).dataSync();
  // What was moved out of the picture gets none, the rest one each.
  expect(new Set(gradient)).toEqual(new Set([0, 1]));
});
