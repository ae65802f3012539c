import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadCaricaturist, resolvePreset, tf, type Preset, type StepMetrics } from './index.js';
import { type ArchitectureData, ARCHITECTURES, createArchitectureData } from './testing/architectures.js';
import { writeDiscs } from './testing/discs.js';
import { nativeBytes } from './testing/native-memory.js';
import { CHECKPOINT_FILE } from './trainer/trainer.js';

const BATCH = 4;
const LARGE = ['faces-152', 'report-152'] as const;
// Seconds where nothing else runs; minutes where much does.
const TIMEOUT_MS = 900_000;
let folder: string;
let small: ArchitectureData;
let large: Record<(typeof LARGE)[number], ArchitectureData>;

const at = (...names: string[]) => path.join(folder, ...names);

const aData = (name: string, preset: Preset, count: number): Promise<ArchitectureData> => createArchitectureData(at(name), preset, count, BATCH);

beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'architectures-'));
  const preset = resolvePreset('faces-32-test', { imageSize: 16, baseWidth: 4 });
  // With all that is drawn at random in a step.
  small = await aData('small', { ...preset, dtn: { ...preset.dtn, shift: 1, unsteady: { shift: 2, noise: 0.2 } } }, 3 * BATCH);
  // The presets' layers on their image size, but fewer channels.
  const aLarge = (name: (typeof LARGE)[number]) => aData(name, resolvePreset(name, { baseWidth: 4 }), BATCH);
  large = { 'faces-152': await aLarge('faces-152'), 'report-152': await aLarge('report-152') };
});

afterAll(async () => {
  for (const { source, target } of [small, ...Object.values(large)]) for (const dataset of [source, target]) dataset.close();
  await fs.rm(folder, { recursive: true, force: true });
});

describe.each(Object.entries(ARCHITECTURES))('%s', (name, { train, loss, draws }) => {
  test('learns one batch by heart', async () => {
    const one = { ...small, source: await writeDiscs(at(name, 'one-source'), 'source', { count: BATCH, size: 16 }), target: await writeDiscs(at(name, 'one-target'), 'target', { count: BATCH, size: 16 }) };
    const losses: number[] = [];
    await train(one, { batchSize: BATCH, steps: 200, outputDir: at(name, 'one'), onStep: ({ metrics }) => void losses.push(metrics[loss]!) });
    expect(losses.at(-1)! / losses[0]!).toBeLessThan(0.25);
    one.source.close();
    one.target.close();
  }, TIMEOUT_MS);

  test('stopped and resumed ends with the bytes of a run that was not', async () => {
    const common = { batchSize: BATCH, steps: 7, checkpointEverySteps: 100 };
    const whole: StepMetrics[] = [];
    await train(small, { ...common, outputDir: at(name, 'whole'), checkpointDir: at(name, 'whole-at'), onStep: ({ metrics }) => void whole.push(metrics) });
    const parts: StepMetrics[] = [];
    const stop = new AbortController();
    const resumable = { ...common, outputDir: at(name, 'parts'), checkpointDir: at(name, 'parts-at'), resume: true };
    const first = await train(small, { ...resumable, signal: stop.signal, onStep: ({ step, metrics }) => (parts.push(metrics), step === 4 && stop.abort()) as never });
    expect(first).toMatchObject({ outcome: 'interrupted', step: 4 });
    await train(small, { ...resumable, onStep: ({ metrics }) => void parts.push(metrics) });
    expect(parts).toEqual(whole);
    expect(await contentsOf(at(name, 'parts'))).toEqual(await contentsOf(at(name, 'whole')));
    expect(await fs.readFile(at(name, 'parts-at', CHECKPOINT_FILE))).toEqual(await fs.readFile(at(name, 'whole-at', CHECKPOINT_FILE)));
  }, TIMEOUT_MS);

  test('keeps its tensors and its native memory over 500 steps', async () => {
    const tensors = new Set<number>();
    const memory: number[] = [];
    const onStep = ({ step }: { step: number }) => {
      tensors.add(tf.memory().numTensors);
      // The first hundred steps fill caches.
      if (step % 100 === 0) memory.push(nativeBytes());
    };
    const before = tf.memory().numTensors;
    await train(small, { batchSize: 2, steps: 500, outputDir: at(name, 'long'), onStep });
    expect(tensors.size).toBe(1);
    expect(tf.memory().numTensors).toBe(before);
    expect(memory.at(-1)! - memory[0]!).toBeLessThan(8 << 20);
  }, TIMEOUT_MS);

  test.each(LARGE)('trains at the image size and with the layers of %s', async (preset) => {
    const data = large[preset];
    const steps: StepMetrics[] = [];
    await train(data, { batchSize: 2, steps: 2, outputDir: at(name, preset), onStep: ({ metrics }) => void steps.push(metrics) });
    expect(steps).toHaveLength(2);
    expect(steps.every((metrics) => Number.isFinite(metrics[loss]))).toBe(true);
    if (!draws) return;
    const caricaturist = await loadCaricaturist(...draws.map((network) => at(name, preset, network)));
    expect(caricaturist.shape).toEqual([152, 152, 3]);
    expect(new Set(caricaturist.draw(data.source.image(0))).size).toBeGreaterThan(10);
    caricaturist.dispose();
  }, TIMEOUT_MS);
});

/** The bytes of every file in a folder, by path. */
async function contentsOf(root: string): Promise<Record<string, Buffer>> {
  const files = (await fs.readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return Object.fromEntries(await Promise.all(files.sort().map(async (file) => [path.relative(root, file), await fs.readFile(file)] as const)));
}
