import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Dataset } from '@caricature/tensors';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { trainClassifier, trainDtn, trainJudge, evaluateTransfer, loadCaricaturist, resolvePreset, CheckpointError, DivergedError, type StepMetrics } from './index.js';
import { DISC_TRAIT_SIZES, writeDiscs } from './testing/discs.js';
import { CHECKPOINT_FILE } from './trainer/trainer.js';

const preset = resolvePreset('faces-32-test');
let folder: string;
let source: Dataset;
let target: Dataset;

const at = (...names: string[]) => path.join(folder, ...names);

beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'models-'));
  source = await writeDiscs(at('source'), 'source', { count: 120 });
  target = await writeDiscs(at('target'), 'target', { count: 120 });
});

afterAll(async () => {
  source.close();
  target.close();
  await fs.rm(folder, { recursive: true, force: true });
});

describe('the whole chain on a tiny preset', () => {
  test('f, DTN and judge train, and a caricature keeps the colour of its disc', async () => {
    const losses: StepMetrics[] = [];
    await trainClassifier({ dataset: source, preset, seed: 5, outputDir: at('pretrain'), onStep: ({ metrics }) => void losses.push(metrics) });
    expect(losses.at(-1)!.accuracy).toBeGreaterThan(0.8);
    expect(losses.at(-1)!.loss).toBeLessThan(losses[0]!.loss!);
    await trainJudge({ dataset: target, preset, traitSizes: DISC_TRAIT_SIZES, steps: 60, seed: 4, outputDir: at('judge') });
    let samples = 0;
    await trainDtn({ source, target, f: at('pretrain', 'f'), preset, steps: 250, seed: 7, outputDir: at('train'), sampleEverySteps: 125, onSample: (_, grid) => void (samples += grid.count) });
    expect(samples).toBe(48);
    const { scores } = await evaluateTransfer({ source, target, transfer: [at('pretrain', 'f'), at('train', 'g')], readerDir: at('pretrain'), judgeDir: at('judge'), traitSizes: DISC_TRAIT_SIZES, images: 64, seed: 6 });
    // By chance 0.25; 0.8 on average over seeds.
    expect(scores.traits!.hue!.agreement).toBeGreaterThan(0.6);
    expect(scores.frechetDistance).toBeGreaterThan(0);
    const caricaturist = await loadCaricaturist(at('train', 'f'), at('train', 'g'));
    expect(caricaturist.draw(source.image(0))).toHaveLength(32 * 32 * 3);
    expect(() => caricaturist.draw(new Uint8Array(5))).toThrow(/takes an image of 32×32×3/);
    caricaturist.dispose();
  }, 600_000);
});

describe('a checkpoint', () => {
  beforeAll(async () => {
    const stop = new AbortController();
    await trainClassifier({ dataset: source, preset, steps: 8, seed: 9, outputDir: at('f-parts'), checkpointDir: at('f-ckpt'), signal: stop.signal, onStep: ({ step }) => { if (step === 3) stop.abort(); } });
  });

  test('of another configuration is refused, naming the difference', async () => {
    const resumed = trainClassifier({ dataset: source, preset, steps: 8, seed: 10, outputDir: at('x'), checkpointDir: at('f-ckpt'), resume: true });
    await expect(resumed).rejects.toThrow(/seed: saved 9, now 10/);
    await expect(resumed).rejects.toBeInstanceOf(CheckpointError);
  });

  test('that is damaged is refused', async () => {
    const file = at('f-ckpt', CHECKPOINT_FILE);
    const bytes = await fs.readFile(file);
    bytes[bytes.length - 5]! ^= 255;
    await fs.writeFile(file, bytes);
    await expect(trainClassifier({ dataset: source, preset, steps: 8, seed: 9, outputDir: at('x'), checkpointDir: at('f-ckpt'), resume: true })).rejects.toThrow(/damaged/);
  });
});

describe('training', () => {
  test('stops with a reason and keeps the last good checkpoint when it diverges', async () => {
    const options = { dataset: source, preset, optimizer: 'SGD', learningRate: 2e5, schedule: 'constant', seed: 1, outputDir: at('div'), checkpointDir: at('div-ckpt'), checkpointEverySteps: 1 } as const;
    const error = await trainClassifier({ ...options, steps: 40 }).then(() => undefined, (e: DivergedError) => e);
    expect(error).toBeInstanceOf(DivergedError);
    const { keptStep = 0, step } = error!;
    expect(step).toBeGreaterThan(keptStep);
    expect(error!.message).toContain(`The last good checkpoint, of step ${keptStep}, was kept.`);
    const bytes = await fs.readFile(at('div-ckpt', CHECKPOINT_FILE));
    expect(JSON.parse(bytes.toString('utf8').split('\n')[1]!)).toMatchObject({ step: keptStep });
    await expect(fs.stat(at('div', 'f'))).rejects.toThrow();
  });

  test('refuses a data set of another size', async () => {
    await expect(trainClassifier({ dataset: source, preset: resolvePreset('faces-64'), steps: 1, seed: 1, outputDir: at('x') })).rejects.toThrow(/32×32, preset faces-64 is for 64×64/);
  });
});
