import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LOADERS } from '../backend/loading.js';
import { findNodeBackend, tf, type Tensor, type Tensor1D, type Tensor2D, type Variable } from '../backend/tensorflow.js';
import { uniform } from '../layers/dropout.js';
import { Optimizer } from '../optimizer/optimizer.js';
import { CompiledStep } from './compiled-step.js';

let before: number;
beforeEach(() => void (before = tf.memory().numTensors));
afterEach(() => {
  vi.unstubAllEnvs();
  expect(tf.memory().numTensors).toBe(before);
});

/** A small training: of `weights` by Adam, with something drawn at random and a running sum. */
function createTraining() {
  const weights = tf.tidy(() => tf.variable(tf.tensor2d([0.5, -0.2, 0.1, 0.4, 0.3, -0.6], [3, 2])));
  const sum = tf.tidy(() => tf.variable(tf.zeros([2])));
  const optimizer = new Optimizer({ name: 'Adam', beta1: 0.5 }, new Map([['weights', weights]]));
  let calls = 0;
  const step = new CompiledStep(({ x, seeds, rates }: { x: Tensor2D; seeds: Tensor1D; rates: Tensor1D }) => {
    calls += 1;
    let seen: Tensor | undefined;
    const loss = optimizer.minimize(() => {
      const y = x.add(uniform(x.shape, seeds)).matMul<Tensor2D>(weights as unknown as Tensor2D).tanh();
      seen = tf.keep(y.sum(0));
      sum.assign(sum.add(seen));
      return y.square().mean();
    }, rates);
    return { loss, seen: seen! };
  });
  const run = (n: number, rows = 4) =>
    tf.tidy(() => {
      const x = tf.tensor2d(Array.from({ length: rows * 3 }, (_, i) => Math.sin(i * n)), [rows, 3]);
      const { loss, seen } = step.run({ x, seeds: tf.tensor1d([n, 7], 'int32'), rates: optimizer.begin(0.01 * n) });
      return { loss: loss.dataSync()[0]!, seen: [...seen.dataSync()] };
    });
  const state = () => [...weights.dataSync(), ...sum.dataSync(), ...[...optimizer.snapshot().tensors.values()].flatMap(({ values }) => [...values])];
  const dispose = () => [weights, sum, optimizer, step].forEach((part) => part.dispose());
  return { run, state, dispose, calls: () => calls };
}

describe('a compiled step', () => {
  test('computes what the function does, and calls it once', () => {
    const results = ['', 'off'].map((setting) => {
      vi.stubEnv('CARICATURE_COMPILE', setting);
      const training = createTraining();
      const steps = [1, 2, 3, 4].map((n) => training.run(n));
      const result = { numbers: [...steps.flatMap(({ loss, seen }) => [loss, ...seen]), ...training.state()], calls: training.calls() };
      training.dispose();
      return result;
    });
    const [compiled, called] = results as [(typeof results)[0], (typeof results)[0]];
    expect([compiled.calls, called.calls]).toEqual([1, 4]);
    expect(compiled.numbers).toHaveLength(4 * 3 + 6 + 2 + 12);
    compiled.numbers.forEach((value, i) => expect(value).toBeCloseTo(called.numbers[i]!, 5));
    // Each step's numbers were its own.
    expect(new Set(compiled.numbers.slice(0, 12)).size).toBe(12);
  });

  test('does the same to the bit whenever it is begun', () => {
    const [whole, first, second] = [createTraining(), createTraining(), createTraining()];
    for (const n of [1, 2, 3]) whole.run(n);
    for (const training of [first, second]) {
      training.run(1);
      training.run(2);
      // Other shapes: compiled anew, and once more for the next.
      if (training === second) expect(training.run(5, 2).seen).toHaveLength(2);
    }
    first.run(3);
    expect(first.state()).toEqual(whole.state());
    expect(second.calls()).toBe(2);
    for (const training of [whole, first, second]) training.dispose();
  });

  test('tells variables apart that were made of one another', () => {
    const [a, b] = tf.tidy(() => [tf.variable(tf.tensor1d([1, 2])), tf.variable(tf.tensor1d([0, 0]))]) as [Variable, Variable];
    b.assign(a);
    const step = new CompiledStep(({ by }: { by: Tensor }) => {
      a.assign(a.mul(by));
      return { both: tf.stack([a, b]) };
    });
    const seen = [2, 5].map((by) => tf.tidy(() => [...step.run({ by: tf.scalar(by) }).both.dataSync()]));
    expect(seen).toEqual([[2, 4, 1, 2], [10, 20, 1, 2]]);
    for (const part of [a, b, step]) part.dispose();
  });

  test('takes nothing for granted: it is refused where it reads values or uses what it is not given, and nothing has changed', () => {
    const [a, foreign] = [tf.tidy(() => tf.variable(tf.scalar(1))), tf.scalar(3)];
    foreign.add(1).dispose();
    const refused = (step: (inputs: { x: Tensor }) => Record<string, Tensor>) => () => tf.tidy(() => new CompiledStep(step).run({ x: tf.scalar(2) }));
    expect(refused(({ x }) => (a.assign(a.add(x)), { y: x.mul(x.dataSync()[0]!) }))).toThrow(/reads no values/);
    expect(refused(({ x }) => (a.assign(a.add(x)), { y: x.mul(foreign) }))).toThrow(/uses a tensor that it neither computes nor is given/);
    expect(a.dataSync()[0]).toBe(1);
    for (const part of [a, foreign]) part.dispose();
  });

  test('leaves no file and no session behind', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'compiled-'));
    vi.stubEnv('TMPDIR', folder);
    const training = createTraining();
    const sessions = () => (findNodeBackend() as unknown as { getNumOfSavedModels(): number }).getNumOfSavedModels();
    const open = sessions();
    training.run(1);
    training.run(2, 3);
    expect([sessions() - open, readdirSync(folder)]).toEqual([1, []]);
    training.dispose();
    expect(sessions()).toBe(open);
    rmSync(folder, { recursive: true });
  });

  test('is the function where TensorFlow itself does not compute', async () => {
    await LOADERS.javascript();
    const there = tf.memory().numTensors;
    const training = createTraining();
    expect(training.run(1).seen).toHaveLength(2);
    training.run(2);
    expect(training.calls()).toBe(2);
    training.dispose();
    expect(tf.memory().numTensors).toBe(there);
    await LOADERS.native();
  });
});
