import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Random, ShardWriter } from '@caricature/tensors';
import { chooseFace } from './choice.js';
import { CollectionError } from './collection.error.js';
import { listPeople } from './collection.js';
import type { CollectionOptions, Person } from './collection.js';
import { cropFace, cropMiddle, FACE_MARGIN } from './crop.js';
import { createFaceDetector } from './detector.js';
import type { FaceDetector } from './detector.js';
import { mapOrdered } from './ordered.js';
import { PhotoError } from './photo.error.js';
import { DEFAULT_PHOTO_LIMITS, openPhoto } from './photo.js';
import { readTrueTraits } from './true-traits.js';
import type { TrueTraits } from './true-traits.js';

export interface PrepareOptions extends Omit<CollectionOptions, 'dir'> {
  photosDir: string;
  outDir: string;
  /** Side of the faces written, in pixels. */
  size: number;
  /** Find the one face of each photo; false when the photos are face crops already. */
  detect: boolean;
  margin?: number;
  seed?: number;
  /** Columns of the traits files, where the people's true traits are known; else those of the first `traits.json`. */
  traitNames?: readonly string[];
  /** One photo of so many of a person is held out. */
  heldOutEvery?: number;
  imagesPerShard?: number;
  concurrency?: number;
  signal?: AbortSignal;
  onProgress?: (counts: PrepareProgress) => void;
}

export interface PrepareCounts {
  kept: number;
  noFace: number;
  several: number;
  unreadable: number;
}

export interface PrepareProgress extends PrepareCounts {
  done: number;
  total: number;
}

export interface PrepareResult extends PrepareProgress {
  /** People with at least one face kept. */
  people: number;
  train: number;
  heldOut: number;
}

interface PhotoTask {
  path: string;
  label: number;
  heldOut: boolean;
}

type Outcome = { face: Uint8Array } | { dropped: keyof PrepareCounts };

const MIN_PHOTOS_TO_HOLD_OUT = 3;

/**
 * Photos of people → data sets of faces in `outDir/train` and `outDir/heldout`, with the same labels: the people, by name.
 * A photo with no face or several, or that cannot be read, is dropped and counted. Photos of all people are mixed, the
 * same way for the same seed. Of each person with three photos or more, one in `heldOutEvery` (and at least one) goes to
 * `heldout`. Throws CollectionError when too few people have a face.
 */
export async function prepareFaces(options: PrepareOptions): Promise<PrepareResult> {
  const people = await listPeople({ ...options, dir: options.photosDir });
  const tasks = planTasks(people, options.heldOutEvery ?? 8, options.seed ?? 0);
  const traits = await readTrueTraits(options.photosDir, people, options.traitNames);
  const labelNames = people.map(({ name }) => name);
  const train = createWriter(options, 'train', labelNames, traits);
  const heldOut = createWriter(options, 'heldout', labelNames, traits);
  const detector = options.detect ? await createFaceDetector() : undefined;
  const progress: PrepareProgress = { done: 0, total: tasks.length, kept: 0, noFace: 0, several: 0, unreadable: 0 };
  const seen = new Set<number>();
  for await (const { task, outcome } of mapOrdered(tasks, options.concurrency ?? 2, (task) => prepareOne(options, detector, task))) {
    options.signal?.throwIfAborted();
    progress.done += 1;
    progress['dropped' in outcome ? outcome.dropped : 'kept'] += 1;
    if ('face' in outcome) {
      seen.add(task.label);
      await (task.heldOut ? heldOut : train).add(outcome.face, task.label, traits?.rows.get(task.path));
    }
    options.onProgress?.({ ...progress });
  }
  refuseTooFew(seen.size, options, progress);
  await heldOut.finish();
  await train.finish();
  return { ...progress, people: seen.size, train: train.count, heldOut: heldOut.count };
}

function planTasks(people: Person[], heldOutEvery: number, seed: number): PhotoTask[] {
  const tasks = people.flatMap(({ photos }, label) => {
    const interval = photos.length < MIN_PHOTOS_TO_HOLD_OUT ? Infinity : Math.min(heldOutEvery, photos.length);
    return photos.map((path, index) => ({ path, label, heldOut: (index + 1) % interval === 0 }));
  });
  return [...new Random(seed).permutation(tasks.length)].map((index) => tasks[index]!);
}

function createWriter(options: PrepareOptions, split: string, labelNames: string[], traits: TrueTraits | undefined): ShardWriter {
  const { outDir, size, imagesPerShard, detect, layout = 'PersonFolders', seed = 0 } = options;
  return new ShardWriter({
    folder: join(outDir, split),
    shape: [size, size, 3],
    labelNames,
    ...(traits && { traitNames: [...traits.traitNames] }),
    ...(imagesPerShard !== undefined && { imagesPerShard }),
    from: { split, layout, detect, margin: options.margin ?? FACE_MARGIN, seed },
  });
}

async function prepareOne(
  options: PrepareOptions,
  detector: FaceDetector | undefined,
  task: PhotoTask,
): Promise<{ task: PhotoTask; outcome: Outcome }> {
  try {
    const bytes = await readPhoto(join(options.photosDir, task.path));
    return { task, outcome: { face: await cutFace(bytes, options, detector) } };
  } catch (error) {
    return { task, outcome: { dropped: toDropReason(error) } };
  }
}

/** Weighs the file first: a huge one is not read. */
async function readPhoto(file: string): Promise<Buffer> {
  const { size } = await stat(file);
  if (size > DEFAULT_PHOTO_LIMITS.maxBytes) throw new PhotoError('TooLarge', `${file} is larger than a photo may be.`);
  return readFile(file);
}

async function cutFace(bytes: Buffer, options: PrepareOptions, detector: FaceDetector | undefined): Promise<Uint8Array> {
  const photo = await openPhoto(bytes);
  if (!detector) return (await cropMiddle(photo, options.size)).data;
  // The search blocks for some 100 ms: timers and reports get their turn between two photos.
  await new Promise((resolve) => setImmediate(resolve));
  const face = chooseFace(await detector.detect(photo), 'Single');
  return (await cropFace(photo, face, options.size, options.margin)).data;
}

function toDropReason(error: unknown): keyof PrepareCounts {
  if (error instanceof PhotoError) {
    if (error.code === 'NoFace') return 'noFace';
    return error.code === 'SeveralFaces' ? 'several' : 'unreadable';
  }
  if (['ENOENT', 'EACCES', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return 'unreadable';
  throw error;
}

function refuseTooFew(people: number, options: PrepareOptions, counts: PrepareCounts): void {
  const { minPeople = 2, photosDir } = options;
  if (people >= minPeople) return;
  throw new CollectionError(
    'TooFewPeople',
    `Only ${people} people in ${photosDir} have a usable photo, ${minPeople} are needed: ${counts.noFace} photos show no face, ` +
      `${counts.several} several, ${counts.unreadable} cannot be read. Add photos where one face looks at the camera, ` +
      'or set alreadyCropped if they are face crops.',
  );
}
