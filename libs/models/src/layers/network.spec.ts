import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Random } from '@caricature/tensors';
import { describe, expect, test } from 'vitest';
import { findNodeBackend, tf, type Tensor, type Variable } from '../backend/tensorflow.js';
import { loadNetwork, saveNetwork } from '../export/layers-model.js';
import { describePatchDiscriminator, describeResidualGenerator, describeUNet } from '../image-networks.js';
import { describeDiscriminator, describeExtractor, describeGenerator } from '../networks.js';
import { resolvePreset } from '../presets.js';
import { activate } from './activation.js';
import { dropout } from './dropout.js';
import { foldBatchNorm, Network } from './network.js';
import { type BatchNormParameters, fusedBatchNorm, slowBatchNorm } from './normalization.js';

function randomTensor(shape: number[], seed: number): Tensor {
  const random = new Random(seed);
  return tf.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()), shape);
}

function largestDifference(a: Tensor, b: Tensor): number {
  return a.sub(b).abs().max().dataSync()[0]!;
}

/** A network whose running statistics and scales are not the first ones. */
function worn(network: Network): Network {
  const random = new Random(17);
  const tensors = network.snapshot();
  for (const [name, { values }] of tensors) {
    if (!name.endsWith('kernel')) for (let i = 0; i < values.length; i++) values[i]! += 0.3 * random.uniform();
  }
  network.restore(tensors);
  return network;
}

const test32 = resolvePreset('faces-32-test');
const pointwise = { ...test32, g: { ...test32.g, pointwise: true, dropout: 0.5 }, d: { ...test32.d, pointwise: true } };
const doubledBy = (upsampling: 'resize' | 'refined') => ({ ...test32, g: { ...test32.g, upsampling } });
const networks: [string, () => Network][] = [
  ['f', () => Network.create(describeExtractor(test32, 3), 'xavier', 1)],
  ['g', () => Network.create(describeGenerator(test32, 3), 'normal', 2)],
  ['g with dropout and 1×1 convolutions', () => Network.create(describeGenerator(pointwise, 3), 'normal', 2)],
  ['g that resizes', () => Network.create(describeGenerator(doubledBy('resize'), 3), 'normal', 2)],
  ['g that resizes and refines', () => Network.create(describeGenerator(doubledBy('refined'), 3), 'normal', 2)],
  ['g without colour', () => Network.create(describeGenerator(test32, 3, false), 'normal', 2)],
  ['D', () => Network.create(describeDiscriminator(test32, 3), 'normal', 3)],
  ['D with 1×1 convolutions', () => Network.create(describeDiscriminator(pointwise, 3), 'normal', 3)],
  ['G of Pix2Pix', () => Network.create(describeUNet(test32, 3), 'normal', 4)],
  ['G of CycleGAN', () => Network.create(describeResidualGenerator('G', test32, 3), 'normal', 5)],
  ['a patch discriminator', () => Network.create(describePatchDiscriminator('D', test32, 6), 'normal', 6)],
];

describe.each(networks)('%s', (_, create) => {
  test('computes the same as the exported tf.layers model, loaded with no custom layer', async () => {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'network-'));
    const network = worn(create());
    await saveNetwork(network, folder);
    const model = await tf.loadLayersModel(`file://${folder}/model.json`);
    const x = randomTensor([3, ...network.description.inputShape], 5);
    expect(largestDifference(network.apply(x), model.predict(x) as Tensor)).toBeLessThan(1e-4);
    const again = await loadNetwork(folder);
    expect(largestDifference(network.apply(x), again.apply(x))).toBe(0);
    await fs.rm(folder, { recursive: true });
  });

  test('computes the same with batch norm folded into its weights', () => {
    const network = worn(create());
    const folded = foldBatchNorm(network);
    const x = randomTensor([3, ...network.description.inputShape], 5);
    expect(folded.description.layers.some(({ kind }) => kind === 'batchNorm')).toBe(false);
    expect(largestDifference(network.apply(x), folded.apply(x))).toBeLessThan(1e-4);
  });
});

test('g without colour gives the same in all channels', () => {
  const network = worn(Network.create(describeGenerator(test32, 3, false), 'normal', 2));
  const pictures = network.apply(randomTensor([2, ...network.description.inputShape], 5));
  expect(pictures.shape).toEqual([2, 32, 32, 3]);
  expect(largestDifference(pictures, pictures.slice([0, 0, 0, 1], [-1, -1, -1, 1]))).toBe(0);
});

test('a damaged model is refused', async () => {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'network-'));
  await expect(loadNetwork(folder)).rejects.toThrow(/holds no model/);
  await saveNetwork(networks[0]![1](), folder);
  await fs.appendFile(path.join(folder, 'weights.bin'), 'abcd');
  await expect(loadNetwork(folder)).rejects.toThrow(/copy the model again/);
  await fs.rm(folder, { recursive: true });
});

describe('on the node backend', () => {
  test('the fused batch norm and its gradients are those of plain arithmetic', () => {
    expect(findNodeBackend(), 'tfjs-node is not set up: npm run setup').toBeDefined();
    const results = [fusedBatchNorm, slowBatchNorm].map((implementation) => {
      const parameters = someBatchNorm();
      const x = tf.variable(randomTensor([8, 5, 5, 3], 1));
      const weight = randomTensor([8, 5, 5, 3], 2);
      const { value, grads } = tf.variableGrads(() => implementation(x, parameters).mul(weight).sum().asScalar());
      const gradients = [x, parameters.gamma, parameters.beta].map((v) => grads[v.name]!);
      return [value, ...gradients, parameters.moving_mean, parameters.moving_variance];
    });
    results[0]!.forEach((fused, i) => expect(largestDifference(fused, results[1]![i]!)).toBeLessThan(1e-4));
  });

  test.each(['relu', 'leakyRelu', 'tanh'] as const)('the gradient of %s is that of the difference quotient', (activation) => {
    const x = randomTensor([50], 3).add(0.01);
    const step = 1e-2;
    const gradient = tf.grad((v) => activate(v, activation))(x);
    const quotient = activate(x.add(step), activation).sub(activate(x.sub(step), activation)).div(2 * step);
    const near = x.abs().less(step);
    expect(largestDifference(tf.where(near, gradient, quotient), gradient)).toBeLessThan(1e-3);
  });
});

test('dropout zeroes its share, keeps the mean, and repeats by its seeds', () => {
  const x = tf.ones([10_000]);
  const once = dropout(x, 0.3, [4, 1]);
  expect(once.equal(0).mean().dataSync()[0]).toBeCloseTo(0.3, 1);
  expect(once.mean().dataSync()[0]).toBeCloseTo(1, 1);
  expect(largestDifference(once, dropout(x, 0.3, [4, 1]))).toBe(0);
  expect(largestDifference(once, dropout(x, 0.3, [4, 2]))).toBeGreaterThan(1);
});

function someBatchNorm(): BatchNormParameters {
  const variable = (values: number[], trainable: boolean): Variable => tf.variable(tf.tensor1d(values), trainable);
  return { gamma: variable([1, 2, 0.5], true), beta: variable([0, -1, 3], true), moving_mean: variable([0, 1, 2], false), moving_variance: variable([1, 1, 2], false) };
}
