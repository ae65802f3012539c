import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainingRunSpec } from '@caricature/contracts';
import { prepareFaces as cutFaces } from '@caricature/faces';
import { resolvePreset } from '@caricature/models/presets';
import { TRAIT_NAMES } from '@caricature/portraits';
import { namingAddress, pictureFolder } from '../picture-folder.js';
import { createProgress } from '../progress.js';
import { ImpossibleError } from '../stage.error.js';
import type { StageContext, StageOutput } from '../stage.js';
import { drawDigits, drawPeople, isDigitsUri, parseSyntheticUri } from '../synthetic-photos.js';

export interface PrepareFacesConfig {
  photos: NonNullable<TrainingRunSpec['source']['photos']>;
  preset: TrainingRunSpec['model']['preset'];
  imageSize?: number;
  seed: number;
}

/** Cuts the faces out of photos named by person and packs them into training data. */
export async function prepareFaces(context: StageContext<PrepareFacesConfig>): Promise<StageOutput> {
  const { config, scratchDir, signal, report } = context;
  const { imageSize } = resolvePreset(config.preset, { imageSize: config.imageSize });
  const progress = createProgress(report);
  if (isDigitsUri(config.photos.uri)) {
    const dir = join(scratchDir, 'digits');
    const counts = await drawDigits(config.photos.uri, imageSize, dir, signal, progress);
    return { dir, metadata: { metrics: { kept: counts.train + counts.heldOut } } };
  }
  const photosDir = await findPhotos(context, imageSize, progress);
  const outDir = join(scratchDir, 'faces');
  await mkdir(outDir, { recursive: true });
  const { layout, alreadyCropped, minImagesPerPerson, maxPeople, maxImagesPerPerson } = config.photos;
  const result = await cutFaces({
    photosDir,
    outDir,
    layout,
    size: imageSize,
    detect: !alreadyCropped,
    minImagesPerPerson,
    ...(maxPeople ? { maxPeople } : {}),
    ...(maxImagesPerPerson ? { maxImagesPerPerson } : {}),
    seed: config.seed,
    traitNames: TRAIT_NAMES,
    signal,
    onProgress: ({ done, total, kept, noFace, several, unreadable }) => {
      progress(done, total);
      report({ type: 'counters', values: { kept, noFace, several, unreadable } });
    },
  }).catch(namingAddress(config.photos.uri, photosDir));
  const { kept, noFace, several, unreadable, people } = result;
  context.log(`${kept} faces of ${people} people kept; dropped: ${noFace} without a face, ${several} with several, ${unreadable} unreadable`);
  return { dir: outDir, metadata: { metrics: { kept, noFace, several, unreadable, people } } };
}

async function findPhotos(context: StageContext<PrepareFacesConfig>, size: number, progress: (done: number, total: number) => void): Promise<string> {
  const { uri } = context.config.photos;
  const folder = await pictureFolder('spec.source.photos.uri', uri, context);
  if (folder !== undefined) return folder;
  if (!uri.startsWith('synthetic://')) throw new ImpossibleError(`spec.source.photos.uri: ${uri} cannot be read: give a folder (file:///…), s3://bucket/prefix, synthetic://people or synthetic://digits`);
  const dir = join(context.scratchDir, 'people');
  await drawPeople(parseSyntheticUri(uri), size, dir, context.signal, progress);
  return dir;
}
