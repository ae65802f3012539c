import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { BatchSampler, Dataset, ShardWriter } from '@caricature/tensors';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { LOADERS } from '../src/backend/loading.js';
import { BACKENDS } from '../src/backend/tensorflow.env.js';
import { tf } from '../src/backend/tensorflow.js';
import { ClassifierTask } from '../src/classifier/classifier.task.js';
import { type CycleGanNetworks, CycleGanTask } from '../src/cyclegan/cyclegan.task.js';
import { DtnTask } from '../src/dtn/dtn.task.js';
import { computeFeatures } from '../src/dtn/features.js';
import type { Network } from '../src/layers/network.js';
import { Pix2PixTask } from '../src/pix2pix/pix2pix.task.js';
import type { StepMetrics, TrainingTask } from '../src/trainer/trainer.js';
import { type StepCase, STEP_CASES } from './testing/cases.js';
import { expectClose } from './testing/closeness.js';
import { flat, Noise, readGolden, sizeOf } from './testing/noise.js';

type CaseName = keyof typeof STEP_CASES;

interface Material {
  networks: Record<string, Network>;
  source: Dataset;
  target: Dataset;
}

interface Averaging extends TrainingTask {
  average?: { networks: Record<string, Network> };
}

let folder: string;

beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'golden-'));
});
afterAll(() => fs.rm(folder, { recursive: true, force: true }));

const classify = (name: 'classifier' | 'classifier-sgd' | 'classifier-momentum') => ({ networks, source }: Material): Averaging => {
  const { settings, seed, labels } = STEP_CASES[name];
  const groups = { sizes: [labels], classesOf: (i: number) => [source.labels[i]!] };
  return new ClassifierTask({ dataset: source, extractor: networks['f']!, head: networks['head']!, settings, augmentation: 'none', seed, groups, config: {} });
};

const transfer = (name: 'dtn' | 'dtn-joint') => ({ networks, source, target }: Material): Averaging => {
  const { settings, seed } = STEP_CASES[name];
  const { f, g, D, head } = networks as { f: Network; g: Network; D: Network; head?: Network };
  const features = name === 'dtn' ? { source: computeFeatures(f, source), target: computeFeatures(f, target) } : undefined;
  return new DtnTask({ source, target, networks: { f, g, D, head }, features, settings, seed, config: {} });
};

const TASKS: Record<CaseName, (material: Material) => Averaging> = {
  classifier: classify('classifier'),
  'classifier-sgd': classify('classifier-sgd'),
  'classifier-momentum': classify('classifier-momentum'),
  dtn: transfer('dtn'),
  'dtn-joint': transfer('dtn-joint'),
  pix2pix: ({ networks, source, target }) => {
    const { settings, seed } = STEP_CASES.pix2pix;
    // Both data sets hold their images in the same order, so a photo's other half is at the same place.
    const everything = Int32Array.from({ length: source.count }, (_, i) => i);
    const sets = { training: everything, validation: new Int32Array(0) };
    return new Pix2PixTask({ source, pairOf: (i) => target.image(i), ...sets, generator: networks['G']!, discriminator: networks['D']!, settings, seed, config: {} });
  },
  cyclegan: ({ networks, source, target }) => {
    const { settings, seed } = STEP_CASES.cyclegan;
    return new CycleGanTask({ source, target, networks: networks as unknown as CycleGanNetworks, settings, seed, config: {} });
  },
};

describe.each(BACKENDS)('on the back end %s', (backend) => {
  beforeAll(async () => void (await LOADERS[backend]()));
  afterAll(async () => void (await LOADERS.native()));

  test.each(Object.keys(STEP_CASES) as CaseName[])('three steps of %s give the losses and the weights of PyTorch', async (name) => {
    const golden: StepCase = STEP_CASES[name];
    const noise = new Noise();
    const networks = Object.fromEntries(Object.entries(golden.networks).map(([key, description]) => [key, noise.network(description)]));
    const count = golden.settings.steps * golden.settings.batchSize;
    // A sampler of its own for each domain, but Pix2Pix has one for both.
    const [source, target] = [await aDataset(golden, noise, count, 0), await aDataset(golden, noise, count, name === 'pix2pix' ? 0 : 1)];
    const task = TASKS[name]({ networks, source, target });
    const metrics = Array.from({ length: golden.settings.steps }, (_, step) => task.trainStep(step));
    source.close();
    target.close();

    expectClose(flat(metrics.map(inOrder)), readGolden(`steps/${name}.metrics`));
    for (const [key, network] of Object.entries(networks)) expectClose(valuesOf(network), readGolden(`steps/${name}.${key}`));
    for (const [key, network] of Object.entries(task.average?.networks ?? {})) expectClose(valuesOf(network), readGolden(`steps/${name}.average-${key}`));
  }, 120_000);
});

/** Images and labels placed so that a sampler draws them in the order in which make.py takes them. */
async function aDataset({ shape, labels, seed, settings }: StepCase, noise: Noise, count: number, samplerSeed: number): Promise<Dataset> {
  const images = noise.images(count, shape);
  const at = await fs.mkdtemp(path.join(folder, 'data-'));
  const sampler = new BatchSampler(count, settings.batchSize, seed + samplerSeed);
  const order = flat(Array.from({ length: settings.steps }, () => sampler.next()));
  const writer = new ShardWriter({ folder: at, shape, labelNames: Array.from({ length: labels }, (_, i) => String(i)) });
  const size = sizeOf(shape);
  for (let i = 0; i < count; i++) {
    const k = order.indexOf(i);
    await writer.add(images.slice(k * size, (k + 1) * size), k % labels);
  }
  await writer.finish();
  return Dataset.open(at);
}

/** The values of a step's metrics in the order of their names. */
function inOrder(metrics: StepMetrics): number[] {
  return Object.keys(metrics).sort().map((name) => metrics[name]!);
}

function valuesOf(network: Network): Float32Array {
  return flat([...network.parameters.values()].map((variable) => variable.dataSync()));
}
