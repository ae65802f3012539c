import { Dataset, Random, ShardWriter } from '@caricature/tensors';

export const DISC_TRAIT_SIZES = [4, 2];
const COLOURS = [[220, 30, 30], [30, 200, 40], [40, 40, 220], [210, 200, 20]];

/**
 * Discs whose colour is the person and whose size is a trait. The target domain's ground is white; the source's is noise, in a part of the images
 * white too.
 */
export async function writeDiscs(folder: string, domain: 'source' | 'target', { count, size = 32 }: { count: number; size?: number }): Promise<Dataset> {
  const writer = new ShardWriter({ folder, shape: [size, size, 3], labelNames: ['a', 'b', 'c', 'd'], traitNames: ['hue', 'size'], imagesPerShard: 50 });
  const random = new Random(domain === 'target' ? 1 : 2);
  for (let i = 0; i < count; i++) {
    const label = i % 4;
    const big = random.below(2);
    const plain = domain === 'target' || i % 5 < 2;
    const image = new Uint8Array(size * size * 3);
    for (let p = 0; p < size * size; p++) {
      const inside = (p % size - size / 2) ** 2 + (Math.floor(p / size) - size / 2) ** 2 < ((big ? 150 : 50) * size * size) / 1024;
      for (let c = 0; c < 3; c++) image[p * 3 + c] = inside ? COLOURS[label]![c]! : plain ? 255 : random.below(120);
    }
    await writer.add(image, label, [label, big]);
  }
  await writer.finish();
  return Dataset.open(folder, { verifyDigests: true });
}
