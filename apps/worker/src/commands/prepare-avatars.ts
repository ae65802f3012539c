import { createReadStream } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { TrainingRunSpec } from '@caricature/contracts';
import { prepareFaces as packPictures } from '@caricature/faces';
import { resolvePreset } from '@caricature/models/presets';
import { TRAIT_NAMES, traitsOfParameters, traitsToRow } from '@caricature/portraits';
import { ShardWriter } from '@caricature/tensors';
import sharp from 'sharp';
import tar from 'tar-stream';
import { namingAddress, pictureFolder } from '../picture-folder.js';
import { createProgress } from '../progress.js';
import { ImpossibleError } from '../stage.error.js';
import type { StageContext, StageOutput } from '../stage.js';

interface PrepareAvatarsConfig {
  preset: TrainingRunSpec['model']['preset'];
  imageSize?: number;
  /** Pictures in a folder, in place of a crawl. */
  images?: NonNullable<TrainingRunSpec['target']>['images'];
  seed?: number;
}

interface RawAvatar {
  png: Buffer;
  parameters: Record<string, number | string>;
}

/** Every so many avatars one is kept back, so that scores are read on pictures that no network was trained on. */
const HELD_OUT_EVERY = 8;

/** Turns crawled PNGs into training data; avatars whose parameters are understood keep their true traits. */
export async function prepareAvatars(context: StageContext<PrepareAvatarsConfig>): Promise<StageOutput> {
  const { imageSize } = resolvePreset(context.config.preset, { imageSize: context.config.imageSize });
  if (context.config.images) return packFolder(context, context.config.images, imageSize);
  const raw = await context.input('crawl');
  const shards = (await readdir(raw)).filter((f) => f.endsWith('.tar')).sort();
  const outDir = join(context.scratchDir, 'avatars');
  const open = async (name: string) => {
    await mkdir(join(outDir, name), { recursive: true });
    return new ShardWriter({ folder: join(outDir, name), shape: [imageSize, imageSize, 3], labelNames: ['avatar'], traitNames: [...TRAIT_NAMES], from: { crawl: context.assignment.inputs['crawl']?.digest } });
  };
  const writers = { train: await open('train'), heldout: await open('heldout') };
  const progress = createProgress(context.report);
  let count = 0;
  for (const [done, shard] of shards.entries()) {
    for await (const { png, parameters } of readAvatars(join(raw, shard))) {
      context.signal.throwIfAborted();
      const pixels = await sharp(png, { limitInputPixels: 4096 * 4096 }).flatten({ background: '#ffffff' }).resize(imageSize, imageSize, { fit: 'fill' }).toColourspace('srgb').raw().toBuffer();
      const writer = count % HELD_OUT_EVERY === HELD_OUT_EVERY - 1 ? writers.heldout : writers.train;
      await writer.add(pixels, 0, traitsToRow(traitsOfParameters(parameters)));
      count += 1;
    }
    progress(done + 1, shards.length);
  }
  if (count < 2 * HELD_OUT_EVERY) throw new ImpossibleError(`the crawl gave ${count} avatars: at least ${2 * HELD_OUT_EVERY} are needed, raise spec.sampling.count of the CrawlJob`);
  await writers.train.finish();
  await writers.heldout.finish();
  return { dir: outDir, metadata: { metrics: { images: count } } };
}

/** Packs the pictures of a folder as they are, with their labels. */
async function packFolder(context: StageContext<PrepareAvatarsConfig>, { uri, layout }: NonNullable<PrepareAvatarsConfig['images']>, size: number): Promise<StageOutput> {
  const { config, scratchDir, signal, report } = context;
  const photosDir = await pictureFolder('spec.target.images.uri', uri, context);
  if (photosDir === undefined) throw new ImpossibleError(`spec.target.images.uri: ${uri} cannot be read: give a folder with its whole path (file:///…), or s3://bucket/prefix`);
  const progress = createProgress(report);
  const dir = join(scratchDir, 'pictures');
  const options = { photosDir, outDir: dir, layout, size, detect: false, minImagesPerPerson: 1, minPeople: 1, signal, ...(config.seed === undefined ? {} : { seed: config.seed }) };
  const { kept, unreadable } = await packPictures({ ...options, onProgress: ({ done, total }) => progress(done, total) }).catch(namingAddress(uri, photosDir));
  return { dir, metadata: { metrics: { images: kept, unreadable } } };
}

/** The avatars of a WebDataset shard: a PNG and, beside it under the same name, its parameters. */
async function* readAvatars(file: string): AsyncGenerator<RawAvatar> {
  const parts = new Map<string, Partial<RawAvatar>>();
  for await (const entry of createReadStream(file).pipe(tar.extract())) {
    const [name = '', kind] = entry.header.name.split('.');
    const content = await buffer(entry);
    const avatar = parts.get(name) ?? {};
    if (kind === 'png') avatar.png = content;
    else if (kind === 'json') avatar.parameters = flatParameters(JSON.parse(content.toString('utf8')));
    if (avatar.png && avatar.parameters) {
      parts.delete(name);
      yield avatar as RawAvatar;
    } else parts.set(name, avatar);
  }
}

function flatParameters(described: { parameters?: Record<string, number>; template?: string }): RawAvatar['parameters'] {
  return { ...described.parameters, ...(described.template ? { template: described.template } : {}) };
}
