import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dataset, Random, ShardWriter } from '@caricature/tensors';
import { expect, test } from 'vitest';
import { tf } from '../backend/tensorflow.js';
import { trainClassifier } from '../classifier/train-classifier.js';
import { loadNetwork } from '../export/layers-model.js';
import { toTensor } from '../images.js';
import type { Network } from '../layers/network.js';
import { resolvePreset } from '../presets.js';
import { writeDiscs } from '../testing/discs.js';
import { adaptHypothesis } from './adapted-hypothesis.js';

const SHOWN = { augmentation: 'mirrored', noise: 0.25 } as const;

/** The same discs through thick, grainy fog. */
async function writeFogged(folder: string, clear: Dataset): Promise<Dataset> {
  const writer = new ShardWriter({ folder, shape: clear.shape, labelNames: clear.manifest.labelNames!, imagesPerShard: 50 });
  const random = new Random(5);
  for (let i = 0; i < clear.count; i++) await writer.add(clear.image(i).map((value) => 120 + 0.3 * value + random.below(40)), clear.labels[i]!);
  await writer.finish();
  return Dataset.open(folder);
}

function shareRight(f: Network, head: Network, dataset: Dataset): number {
  const all = toTensor(dataset.batch(Array.from({ length: dataset.count }, (_, i) => i)).images, dataset.shape);
  const read = tf.tidy(() => head.apply(f.apply(all)).argMax(-1).dataSync());
  return dataset.labels.filter((label, i) => label === read[i]).length / dataset.count;
}

test("f reads another domain better without one of its labels, and neither f nor its classifier is changed", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'caricature-adapted-'));
  try {
    const [source, clear] = [await writeDiscs(join(folder, 'source'), 'source', { count: 200 }), await writeDiscs(join(folder, 'clear'), 'target', { count: 200 })];
    const target = await writeFogged(join(folder, 'target'), clear);
    await trainClassifier({ dataset: source, preset: resolvePreset('faces-32-test'), seed: 1, outputDir: folder });
    const [f, head] = [await loadNetwork(join(folder, 'f')), await loadNetwork(join(folder, 'head'))];
    const before = [f.snapshot(), head.snapshot()];
    const adapted = await adaptHypothesis(f, head, target, SHOWN, 1);
    expect(shareRight(f, head, clear)).toBeGreaterThan(0.95);
    expect([f.snapshot(), head.snapshot()]).toEqual(before);
    expect(shareRight(f, head, target)).toBeLessThan(0.8);
    expect(shareRight(adapted, head, target)).toBeGreaterThan(0.95);
    const told: [step: number, totalSteps: number][] = [];
    expect((await adaptHypothesis(f, head, target, { ...SHOWN, onStep: (...progress) => told.push(progress) }, 1)).snapshot()).toEqual(adapted.snapshot());
    expect([told.length, told[0], told.at(-1)]).toEqual([60, [0, 300], [295, 300]]);
    const stopped = (await adaptHypothesis(f, head, target, { ...SHOWN, signal: AbortSignal.abort() }, 1)).snapshot();
    for (const name of f.trainable.keys()) expect(stopped.get(name), name).toEqual(before[0]!.get(name));
    for (const dataset of [source, clear, target]) dataset.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 120_000);
