import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ArtifactStore, ObjectInfo } from './artifact-store.port.js';
import { ArtifactError, storageFullError } from './artifact.error.js';
import { createArtifactStore, type ArtifactStoreOptions } from './create-artifact-store.js';
import { errnoOf } from './filesystem/filesystem-failure.js';
import { toArtifactError } from './s3/s3-failure.js';

const DOWNLOADS_AT_ONCE = 8;

export interface DownloadOptions extends ArtifactStoreOptions {
  signal?: AbortSignal | undefined;
  /** Told of objects. */
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Brings every object below an s3:// address into a local folder, under the same names. Killed and called again it fetches only what is not
 * there yet with its size: whoever gives the folder gives another one once {@link remoteFingerprint} is another.
 * @throws ArtifactError `NotFound` when there are no objects, `BucketMissing`, `AccessDenied`, `InvalidUri`, `InvalidName`, `StoreUnreachable`, …
 */
export async function downloadFolder(uri: string, folder: string, { signal, onProgress, ...options }: DownloadOptions = {}): Promise<void> {
  const unfinished = `${folder}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await withObjects(uri, options, async (store, objects) => {
    const stop = new AbortController();
    const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
    const waiting = objects.values();
    let done = 0;
    const download = async () => {
      for (const object of waiting) {
        either.throwIfAborted();
        await fetchObject(store, object, folder, unfinished, either);
        onProgress?.(++done, objects.length);
      }
    };
    // The first failure ends the others, and nothing runs on afterwards.
    await Promise.all(Array.from({ length: DOWNLOADS_AT_ONCE }, () => download().catch((error: unknown) => stop.abort(error))));
    signal?.throwIfAborted();
    stop.signal.throwIfAborted();
  });
  await rm(unfinished, { recursive: true, force: true });
}

/**
 * A digest of the names, sizes and ETags below an s3:// address, which stands for what is there.
 * @throws ArtifactError as {@link downloadFolder} does
 */
export async function remoteFingerprint(uri: string, options: ArtifactStoreOptions = {}): Promise<string> {
  return withObjects(uri, options, (_store, objects) => {
    const hash = createHash('sha256');
    for (const { name, bytes, etag } of objects) hash.update(`${name}\0${bytes}\0${etag ?? ''}\n`);
    return Promise.resolve(hash.digest('hex'));
  });
}

async function withObjects<T>(uri: string, options: ArtifactStoreOptions, work: (store: ArtifactStore, objects: ObjectInfo[]) => Promise<T>): Promise<T> {
  const store = createArtifactStore(uri, options);
  try {
    const objects = await store.list('');
    if (objects.length === 0) throw new ArtifactError('NotFound', `There are no objects below ${store.uri}/. Upload some, or correct the address.`);
    return await work(store, objects);
  } finally {
    store.close();
  }
}

async function fetchObject(store: ArtifactStore, { name, bytes }: ObjectInfo, folder: string, unfinished: string, signal: AbortSignal): Promise<void> {
  const target = join(folder, name);
  try {
    if (await isThere(target, bytes)) return;
    const temporary = join(unfinished, randomUUID());
    await mkdir(unfinished, { recursive: true });
    await pipeline(await store.open(name), createWriteStream(temporary), { signal });
    if (!(await isThere(temporary, bytes))) throw changedMeanwhile(name, store);
    await mkdir(dirname(target), { recursive: true });
    await rename(temporary, target);
  } catch (error) {
    if (error instanceof ArtifactError && error.code === 'NotFound') throw changedMeanwhile(name, store);
    const errno = errnoOf(error);
    throw errno === 'ENOSPC' || errno === 'EDQUOT' ? storageFullError(folder, error) : toArtifactError(error, name, store.uri);
  }
}

async function isThere(file: string, bytes: number): Promise<boolean> {
  const there = await stat(file).catch(() => undefined);
  return there !== undefined && there.isFile() && there.size === bytes;
}

/** The next try lists the objects anew. */
function changedMeanwhile(name: string, store: ArtifactStore): ArtifactError {
  return new ArtifactError('StorageFailed', `${name} was changed in ${store.uri} while its objects were being fetched. Run again once nobody writes there.`);
}
