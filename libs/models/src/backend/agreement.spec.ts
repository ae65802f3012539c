import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { loadCaricaturist, resolvePreset, type StepMetrics } from '../index.js';
import { type ArchitectureData, ARCHITECTURES, createArchitectureData } from '../testing/architectures.js';
import { LOADERS } from './loading.js';
import { tf } from './tensorflow.js';

// Layer by layer, the golden arrays compare the back ends (libs/models/golden).
const BATCH = 4;
const preset = resolvePreset('faces-32-test', { imageSize: 16, baseWidth: 4 });

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

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}
