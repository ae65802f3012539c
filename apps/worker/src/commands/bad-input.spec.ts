import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CHECKPOINT_FILE } from '@caricature/models';
import { TRAIT_NAMES } from '@caricature/portraits';
import { EXIT } from '../stage.error.js';
import { StageBench } from '../testing/stage-bench.js';

const spec = ({ model = {}, ...rest }: { model?: object; pretrain?: object; train?: object } = {}) => ({
  model: { preset: 'faces-32-test', ...model },
  source: { photos: { uri: 'file:///photos' } },
  target: { dataset: 'avatars' },
  ...rest,
});
const DRAWING = ['DTN', 'Pix2Pix', 'CycleGAN'] as const;
const faces = (images: number, people = 4, size = 32) => ({ images, people, size, traits: [...TRAIT_NAMES] });

let bench: StageBench;
beforeEach(async () => {
  bench = await StageBench.create();
});
afterEach(() => bench.clear());

/** All that `train` needs. */
async function prepare(photos: number, avatars: number): Promise<void> {
  await bench.publishImages('prepare-faces', faces(photos));
  await bench.publishImages('prepare-avatars', faces(avatars, 1));
  expect(await bench.run(spec({ pretrain: { steps: 1, batchSize: 4 } }), 'pretrain')).toMatchObject({ exitCode: 0 });
}

describe('a batch larger than the data', () => {
  it('is refused before f is trained', async () => {
    await bench.publishImages('prepare-faces', faces(10));
    expect(await bench.run(spec(), 'pretrain')).toMatchObject({
      exitCode: EXIT.impossible,
      message: 'spec.pretrain.batchSize: 16 is more than the 10 photos there are: set it to 10 or less, or give more photos',
    });
    expect(await bench.run(spec({ pretrain: { batchSize: 10, steps: 1 } }), 'pretrain')).toMatchObject({ exitCode: EXIT.succeeded });
  });

  it.each(DRAWING)('is refused by %s where the photos are too few', async (architecture) => {
    await prepare(8, 16);
    expect(await bench.run(spec({ model: { architecture }, train: { batchSize: 9 } }), 'train')).toMatchObject({
      exitCode: EXIT.impossible,
      message: 'spec.train.batchSize: 9 is more than the 8 photos there are: set it to 8 or less, or give more photos',
    });
  });

  it.each(['DTN', 'CycleGAN'])('is refused by %s where the avatars are too few', async (architecture) => {
    await prepare(16, 8);
    expect(await bench.run(spec({ model: { architecture }, train: { batchSize: 9 } }), 'train')).toMatchObject({
      exitCode: EXIT.impossible,
      message: 'spec.train.batchSize: 9 is more than the 8 avatars there are: set it to 8 or less, or give more avatars',
    });
  });
});

it.each(['DTN', 'Classifier'])('photos of one person teach the f of a %s nothing and are refused', async (architecture) => {
  await bench.publishImages('prepare-faces', faces(20, 1));
  expect(await bench.run(spec({ model: { architecture } }), 'pretrain')).toMatchObject({
    exitCode: EXIT.impossible,
    message: 'spec.source.photos: one person only: f learns to tell people apart, so give photos of at least two',
  });
});

describe('a size that does not suit the networks', () => {
  it('is refused with the resource, which names what it must be a multiple of', async () => {
    const refused = bench.run(spec({ model: { imageSize: 36 } }), 'pretrain');
    await expect(refused).rejects.toThrow(/spec\.model\.imageSize: must be a multiple of 16 for the preset faces-64 and of 8 for the others/);
  });

  it('is refused where the data were prepared at another one', async () => {
    await bench.publishImages('prepare-faces', faces(20, 4, 40));
    expect(await bench.run(spec(), 'pretrain')).toMatchObject({ exitCode: EXIT.impossible, message: expect.stringMatching(/holds images of 40×40, preset faces-32-test is for 32×32: prepare them at that size/) });
  });
});

/** So high that the run ends soon, with checkpoints before. */
const DIVERGING = { learningRate: 10, optimizer: 'SGD', batchSize: 4, steps: 300, checkpointEverySteps: 1 };

it('a checkpoint of networks of another shape is refused and kept, and what differs is named', async () => {
  await prepare(16, 16);
  const model = { architecture: 'Pix2Pix' };
  const { work } = await bench.run(spec({ model: { ...model, baseWidth: 4 }, train: DIVERGING }), 'train');
  const kept = await work.get(CHECKPOINT_FILE);
  expect(await bench.run(spec({ model, train: DIVERGING }), 'train')).toMatchObject({
    exitCode: EXIT.impossible,
    code: 'CHECKPOINT_INVALID',
    message: expect.stringMatching(/is of another configuration \(image\.width: saved 4, now 8\): resume with that one, or remove the file to start anew/),
  });
  expect(await work.get(CHECKPOINT_FILE)).toEqual(kept);
});

describe('a learning rate that diverges', () => {
  it('stops f and names its field', async () => {
    await bench.publishImages('prepare-faces', faces(20));
    expect(await bench.run(spec({ pretrain: { learningRate: 10, optimizer: 'SGD', batchSize: 4 } }), 'pretrain')).toMatchObject({
      exitCode: EXIT.impossible,
      code: 'TRAINING_DIVERGED',
      message: expect.stringMatching(/^spec\.pretrain\.learningRate: loss became .* training diverged; lower the learning rate or raise the batch size\. No checkpoint had been made yet\.$/),
    });
  });

  it.each(DRAWING)('stops %s, names its field, and keeps the last good checkpoint', async (architecture) => {
    await prepare(16, 16);
    const { work, message, ...result } = await bench.run(spec({ model: { architecture }, train: DIVERGING }), 'train');
    expect(result).toEqual({ exitCode: EXIT.impossible, code: 'TRAINING_DIVERGED' });
    const [, failed, kept] = /^spec\.train\.learningRate: .* at step (\d+): training diverged; .* The last good checkpoint, of step (\d+), was kept\.$/.exec(message)!;
    expect(Number(kept)).toBe(Number(failed) - 1);
    expect((await work.get(CHECKPOINT_FILE)).toString('latin1').split('\n')[1]).toContain(`"step":${kept},`);
  }, 60_000);
});
