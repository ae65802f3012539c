import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Random } from '@caricature/tensors';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { describePatchDiscriminator, describeResidualGenerator, describeUNet } from '../image-networks.js';
import { loadCaricaturist, resolvePreset, type StepMetrics } from '../index.js';
import { Network } from '../layers/network.js';
import type { NetworkDescription } from '../layers/description.js';
import { describeDiscriminator, describeExtractor, describeGenerator } from '../networks.js';
import { type ArchitectureData, ARCHITECTURES, createArchitectureData } from '../testing/architectures.js';
import { LOADERS } from './loading.js';
import { tf, type Tensor } from './tensorflow.js';

const BATCH = 4;
/** Of values of about 1: sums of float32 in another order. */
const TOLERANCE = 2e-3;
const preset = resolvePreset('faces-32-test', { imageSize: 16, baseWidth: 4 });
const everyLayer = { ...preset, g: { ...preset.g, pointwise: true, dropout: 0.5 }, d: { ...preset.d, pointwise: true } };
const resized = { ...preset, g: { ...preset.g, upsampling: 'resize' as const } };
const NETWORKS: [string, NetworkDescription][] = [
  ['f', describeExtractor(preset, 3)],
  ['g with transposed and 1×1 convolutions and dropout', describeGenerator(everyLayer, 3)],
  ['g that doubles by repeating', describeGenerator(resized, 3)],
  ['D', describeDiscriminator(everyLayer, 3)],
  ['G of Pix2Pix', describeUNet(preset, 3)],
  ['G of CycleGAN', describeResidualGenerator('G', preset, 3)],
  ['a patch discriminator', describePatchDiscriminator('D', preset, 6)],
];

let folder: string;
let data: ArchitectureData;

beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'backends-'));
  data = await createArchitectureData(path.join(folder, 'data'), preset, 3 * BATCH, BATCH);
});

afterAll(async () => {
  data.source.close();
  data.target.close();
  await fs.rm(folder, { recursive: true, force: true });
});

afterEach(() => LOADERS.native());

describe.each(['wasm', 'javascript'] as const)('%s', (name) => {
  test.each(NETWORKS)('computes %s, its gradients and its running statistics as TensorFlow does', async (_, description) => {
    const native = learn(description);
    await LOADERS[name]();
    const other = learn(description);
    expect([...other.keys()]).toEqual([...native.keys()]);
    for (const [key, values] of native) expect(largestDifference(values, other.get(key)!), key).toBeLessThan(TOLERANCE * Math.max(1, largest(values)));
  }, 60_000);

  test.each(Object.entries(ARCHITECTURES))('trains %s to the same losses, and leaves no tensor behind', async (architecture, { train, draws }) => {
    const run = async (backend: string) => {
      const metrics: StepMetrics[] = [];
      const before = tf.memory().numTensors;
      await train(data, { batchSize: BATCH, steps: 2, outputDir: path.join(folder, architecture, backend), onStep: (step) => void metrics.push(step.metrics) });
      expect(tf.memory().numTensors).toBe(before);
      return metrics;
    };
    const native = await run('native');
    await LOADERS[name]();
    const other = await run(name);
    native.forEach((metrics, step) => {
      // Which side of the line a picture falls on may turn on rounding: accuracies are left out.
      for (const [key, value] of Object.entries(metrics)) if (!key.startsWith('accuracy')) expect(other[step]![key], `${key} of step ${step + 1}`).toBeCloseTo(value, 2);
    });
    if (!draws) return;
    const served = async (backend: string) => {
      const caricaturist = await loadCaricaturist(...draws.map((network) => path.join(folder, architecture, 'native', network)));
      const picture = caricaturist.draw(data.source.image(1));
      caricaturist.dispose();
      return { backend, picture };
    };
    const there = await served(name);
    await LOADERS.native();
    const here = await served('native');
    expect(new Set(here.picture).size).toBeGreaterThan(1);
    // One level of brightness of 255, where rounding falls to the other side.
    expect(largestDifference(here.picture, there.picture)).toBeLessThanOrEqual(1);
  }, 120_000);
});

/** A network's output in training, the gradients of all its parameters, and what its running statistics come to be. */
function learn(description: NetworkDescription): Map<string, ArrayLike<number>> {
  const before = tf.memory().numTensors;
  const network = Network.create(description, 'xavier', 3);
  const [x, weights] = [randomTensor([BATCH, ...description.inputShape], 5), randomTensor([BATCH, ...network.outputShape], 6)];
  let output: Tensor | undefined;
  const { value, grads } = tf.variableGrads(() => {
    output = tf.keep(network.apply(x, { training: true, dropoutSeed: 7 }));
    return output.mul(weights).mean().asScalar();
  }, [...network.trainable.values()]);
  const gradients = [...network.trainable].map(([parameter, variable]): [string, ArrayLike<number>] => [`∂ ${parameter}`, tf.tidy(() => grads[variable.name]!.mul(100).dataSync())]);
  const statistics = [...network.snapshot()].filter(([parameter]) => parameter.includes('moving_')).map(([parameter, { values }]): [string, ArrayLike<number>] => [parameter, values]);
  const results = new Map<string, ArrayLike<number>>([['output', output!.dataSync()], ['value', value.dataSync()], ...gradients, ...statistics]);
  for (const tensor of [x, weights, output!, value, ...Object.values(grads)]) tensor.dispose();
  network.dispose();
  expect(tf.memory().numTensors).toBe(before);
  return results;
}

function randomTensor(shape: number[], seed: number): Tensor {
  const random = new Random(seed);
  return tf.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()), shape);
}

const largest = (values: ArrayLike<number>): number => Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}
