import { Random } from '@caricature/tensors';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tf, type Variable } from '../backend/tensorflow.js';
import { Optimizer, type OptimizerName } from './optimizer.js';

/** Small ones and a large one. */
const SHAPES: Record<string, number[]> = { 'a/kernel': [2, 3], 'b/bias': [4], 'c/kernel': [300, 250] };
let before: number;

beforeEach(() => void (before = tf.memory().numTensors));
afterEach(() => expect(tf.memory().numTensors).toBe(before));

describe.each(['Adam', 'Momentum', 'SGD'] as const)('%s', (name) => {
  test('updates many parameters to the bits that each would have by itself', () => {
    const together = train(name, Object.keys(SHAPES));
    for (const parameter of Object.keys(SHAPES)) expect(train(name, [parameter])[parameter]).toEqual(together[parameter]);
    expect(together['b/bias']).not.toEqual(train(name, ['b/bias'], 1)['b/bias']);
  });

  test('goes on from a snapshot, under the names and shapes of the parameters', () => {
    const [parameters, wanted] = [create(Object.keys(SHAPES)), create(Object.keys(SHAPES))];
    const first = new Optimizer({ name, beta1: 0.5 }, parameters);
    const whole = new Optimizer({ name, beta1: 0.5 }, wanted);
    for (let step = 0; step < 2; step++) for (const [optimizer, of] of [[first, parameters], [whole, wanted]] as const) update(optimizer, of);
    const { tensors, state } = first.snapshot();
    const kinds = { Adam: ['mean', 'square'], Momentum: ['mean'], SGD: [] }[name];
    expect([...tensors].map(([slot, { shape }]) => [slot, shape]).sort()).toEqual(Object.entries(SHAPES).flatMap(([parameter, shape]) => kinds.map((kind) => [`${parameter}/${kind}`, shape])).sort());
    const resumed = new Optimizer({ name, beta1: 0.5 }, parameters);
    resumed.restore(tensors, state);
    for (const [optimizer, of] of [[resumed, parameters], [whole, wanted]] as const) update(optimizer, of);
    for (const [parameter, variable] of parameters) expect(variable.dataSync()).toEqual(wanted.get(parameter)!.dataSync());
    if (kinds.length > 0) expect(() => resumed.restore(new Map(), 0)).toThrow(/the optimizer's .*mean is \[missing\]/);
    for (const part of [first, whole, resumed, ...parameters.values(), ...wanted.values()]) part.dispose();
  });
});

function train(name: OptimizerName, names: string[], steps = 3): Record<string, ArrayLike<number>> {
  const parameters = create(names);
  const optimizer = new Optimizer({ name, beta1: 0.5 }, parameters);
  for (let step = 0; step < steps; step++) update(optimizer, parameters);
  const values = Object.fromEntries([...parameters].map(([parameter, variable]) => [parameter, variable.dataSync().slice()]));
  for (const part of [optimizer, ...parameters.values()]) part.dispose();
  return values;
}

/** The same parameter has the same values whoever is beside it. */
function create(names: string[]): Map<string, Variable> {
  return new Map(
    names.map((name) => {
      const random = new Random(Object.keys(SHAPES).indexOf(name));
      const shape = SHAPES[name]!;
      return [name, tf.tidy(() => tf.variable(tf.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()), shape)))];
    }),
  );
}

function update(optimizer: Optimizer, parameters: Map<string, Variable>): void {
  tf.tidy(() => void optimizer.minimize(() => tf.addN([...parameters.values()].map((variable) => variable.square().mul(variable).sum())), optimizer.begin(0.01)));
}
