import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Dataset, Random, ShardWriter } from '@caricature/tensors';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tf, trainClassifier, trainDtn, trainJudge, evaluateTransfer, loadCaricaturist, resolvePreset, CheckpointError, DivergedError, type StepMetrics } from './index.js';
import { CHECKPOINT_FILE } from './trainer/trainer.js';

const preset = resolvePreset('faces-32-test');
let folder: string;
let source: Dataset;
let target: Dataset;

/** Discs whose colour is the person and whose size is a trait; the target domain's background is white, the source's noise, in a part of the images white too. */
async function aDataset(name: string, count: number, flat: boolean): Promise<Dataset> {
  const writer = new ShardWriter({ folder: path.join(folder, name), shape: [32, 32, 3], labelNames: ['a', 'b', 'c', 'd'], traitNames: ['hue', 'size'], imagesPerShard: 50 });
  const random = new Random(flat ? 1 : 2);
  const colours = [[220, 30, 30], [30, 200, 40], [40, 40, 220], [210, 200, 20]];
  for (let i = 0; i < count; i++) {
    const label = i % 4;
    const big = random.below(2);
    const plain = flat || i % 5 < 2;
    const image = new Uint8Array(32 * 32 * 3);
    for (let p = 0; p < 32 * 32; p++) {
      const inside = (p % 32 - 16) ** 2 + (Math.floor(p / 32) - 16) ** 2 < (big ? 150 : 50);
      for (let c = 0; c < 3; c++) image[p * 3 + c] = inside ? colours[label]![c]! : plain ? 255 : random.below(120);
    }
    await writer.add(image, label, [label, big]);
  }
  await writer.finish();
  return Dataset.open(path.join(folder, name), { verifyDigests: true });
}

beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'models-'));
  source = await aDataset('source', 120, false);
  target = await aDataset('target', 120, true);
});

afterAll(async () => {
  source.close();
  target.close();
  await fs.rm(folder, { recursive: true, force: true });
});

const at = (...names: string[]) => path.join(folder, ...names);

describe('the whole chain on a tiny preset', () => {
  test('f, DTN and judge train, and a caricature keeps the colour of its disc', async () => {
    const losses: StepMetrics[] = [];
    await trainClassifier({ dataset: source, preset, seed: 3, outputDir: at('pretrain'), onStep: ({ metrics }) => void losses.push(metrics) });
    expect(losses.at(-1)!.accuracy).toBeGreaterThan(0.8);
    expect(losses.at(-1)!.loss).toBeLessThan(losses[0]!.loss!);
    await trainJudge({ dataset: target, preset, traitSizes: [4, 2], steps: 60, seed: 4, outputDir: at('judge') });
    let samples = 0;
    await trainDtn({ source, target, f: at('pretrain', 'f'), preset, steps: 250, seed: 5, outputDir: at('train'), sampleEverySteps: 125, onSample: (_, grid) => void (samples += grid.count) });
    expect(samples).toBe(48);
    const { scores } = await evaluateTransfer({ source, target, transfer: [at('pretrain', 'f'), at('train', 'g')], readerDir: at('pretrain'), judgeDir: at('judge'), traitSizes: [4, 2], images: 64, seed: 6 });
    expect(scores.traits!.hue!.agreement).toBeGreaterThan(0.6);
    expect(scores.frechetDistance).toBeGreaterThan(0);
    const caricaturist = await loadCaricaturist(at('train', 'f'), at('train', 'g'));
    expect(caricaturist.draw(source.image(0))).toHaveLength(32 * 32 * 3);
    expect(() => caricaturist.draw(new Uint8Array(5))).toThrow(/takes an image of 32×32×3/);
    caricaturist.dispose();
  }, 180_000);
});

describe('resuming', () => {
  test('a DTN stopped and resumed ends with the bytes of one that was not', async () => {
    // With all that is drawn at random in a step.
    const unsteady = { ...preset, dtn: { ...preset.dtn, shift: 1, unsteady: { shift: 2, noise: 0.2 } } };
    const common = { source, target, f: at('pretrain', 'f'), preset: unsteady, steps: 12, seed: 9, checkpointEverySteps: 100 };
    const whole: number[] = [];
    await trainDtn({ ...common, outputDir: at('whole'), checkpointDir: at('whole-ckpt'), onStep: ({ metrics }) => void whole.push(metrics.g!) });
    const stop = new AbortController();
    const parts: number[] = [];
    const first = await trainDtn({ ...common, outputDir: at('parts'), checkpointDir: at('parts-ckpt'), signal: stop.signal, onStep: ({ step, metrics }) => { parts.push(metrics.g!); if (step === 5) stop.abort(); } });
    expect(first).toMatchObject({ outcome: 'interrupted', step: 5 });
    await trainDtn({ ...common, outputDir: at('parts'), checkpointDir: at('parts-ckpt'), resume: true, onStep: ({ metrics }) => void parts.push(metrics.g!) });
    expect(parts).toEqual(whole);
    for (const network of ['g', 'D']) {
      expect(await fs.readFile(at('parts', network, 'weights.bin'))).toEqual(await fs.readFile(at('whole', network, 'weights.bin')));
    }
    expect(await fs.readFile(at('parts-ckpt', CHECKPOINT_FILE))).toEqual(await fs.readFile(at('whole-ckpt', CHECKPOINT_FILE)));
  }, 180_000);

  test('a classifier stopped and resumed ends with the bytes of one that was not', async () => {
    const common = { dataset: source, preset, steps: 8, seed: 9 };
    await trainClassifier({ ...common, outputDir: at('f-whole') });
    const stop = new AbortController();
    await trainClassifier({ ...common, outputDir: at('f-parts'), checkpointDir: at('f-ckpt'), signal: stop.signal, onStep: ({ step }) => { if (step === 3) stop.abort(); } });
    await trainClassifier({ ...common, outputDir: at('f-parts'), checkpointDir: at('f-ckpt'), resume: true });
    expect(await fs.readFile(at('f-parts', 'f', 'weights.bin'))).toEqual(await fs.readFile(at('f-whole', 'f', 'weights.bin')));
  });

  test('a checkpoint of another configuration is refused, naming the difference', async () => {
    const resumed = trainClassifier({ dataset: source, preset, steps: 8, seed: 10, outputDir: at('x'), checkpointDir: at('f-ckpt'), resume: true });
    await expect(resumed).rejects.toThrow(/seed: saved 9, now 10/);
    await expect(resumed).rejects.toBeInstanceOf(CheckpointError);
  });

  test('a damaged checkpoint is refused', async () => {
    const file = at('f-ckpt', CHECKPOINT_FILE);
    const bytes = await fs.readFile(file);
    bytes[bytes.length - 5]! ^= 255;
    await fs.writeFile(file, bytes);
    await expect(trainClassifier({ dataset: source, preset, steps: 8, seed: 9, outputDir: at('x'), checkpointDir: at('f-ckpt'), resume: true })).rejects.toThrow(/damaged/);
  });
});

describe('training', () => {
  test('stops with a reason and keeps the last good checkpoint when it diverges', async () => {
    const run = trainClassifier({ dataset: source, preset, steps: 40, optimizer: 'SGD', learningRate: 1e30, schedule: 'constant', seed: 1, outputDir: at('div'), checkpointDir: at('div-ckpt'), checkpointEverySteps: 1 });
    await expect(run).rejects.toBeInstanceOf(DivergedError);
    await expect(fs.stat(at('div', 'f'))).rejects.toThrow();
  });

  test('keeps the number of tensors over 50 steps', async () => {
    const counts: number[] = [];
    await trainDtn({ source, target, f: at('pretrain', 'f'), preset, steps: 50, seed: 2, outputDir: at('mem'), onStep: () => void counts.push(tf.memory().numTensors) });
    expect(new Set(counts).size).toBe(1);
    const before = tf.memory().numTensors;
    await trainClassifier({ dataset: source, preset, steps: 5, seed: 2, outputDir: at('mem') });
    expect(tf.memory().numTensors).toBe(before);
  }, 180_000);

  test('refuses a data set of another size', async () => {
    await expect(trainClassifier({ dataset: source, preset: resolvePreset('faces-64'), steps: 1, seed: 1, outputDir: at('x') })).rejects.toThrow(/32×32, preset faces-64 is for 64×64/);
  });
});
