import { expect, test } from 'vitest';
import { tf } from './backend/tensorflow.js';
import { probeTraining } from './probe.js';

test('two steps on noise say where they were computed, and leave nothing behind', () => {
  const before = tf.memory().numTensors;
  const { device, loss, milliseconds } = probeTraining();
  expect(['CPU', 'GPU']).toContain(device);
  expect(loss).toBeGreaterThan(0);
  expect(loss).toBeLessThan(4);
  expect(milliseconds).toBeGreaterThan(0);
  expect(tf.memory().numTensors).toBe(before);
});
