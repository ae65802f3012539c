import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tf } from '../backend/tensorflow.js';
import { toTensor } from '../images.js';
import { Network } from '../layers/network.js';
import { describeExtractor } from '../networks.js';
import { writeDiscs } from '../testing/discs.js';
import { adaptStatistics } from './adapted-statistics.js';

test("batch norm takes the other domain's statistics, and the weights and the network itself stay as they are", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'caricature-adapted-'));
  try {
    const target = await writeDiscs(join(folder, 'target'), 'target', { count: 300 });
    const network = Network.create(describeExtractor({ imageSize: 32, f: { width: 8, levels: 2, featureSize: 16, augmentation: 'none' } }, 3), 'xavier', 1);
    const before = network.snapshot();
    const adapted = adaptStatistics(network, target, 1);
    const after = adapted.snapshot();
    expect(network.snapshot()).toEqual(before);
    for (const name of network.trainable.keys()) expect(after.get(name), name).toEqual(before.get(name));
    const all = toTensor(target.batch(Array.from({ length: target.count }, (_, i) => i)).images, target.shape);
    const first = tf.conv2d(all, network.parameters.get('conv0/kernel')! as never, 2, 'same');
    const { mean, variance } = tf.moments(first, [0, 1, 2]);
    const near = (name: string, wanted: ArrayLike<number>, scale: number) =>
      after.get(`conv0_norm/${name}`)!.values.forEach((value, c) => expect(Math.abs(value - wanted[c]!)).toBeLessThan(0.1 * scale));
    const deviations = variance.sqrt().dataSync();
    near('moving_mean', mean.dataSync(), Math.max(...deviations));
    near('moving_variance', variance.dataSync(), Math.max(...variance.dataSync()));
    target.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
