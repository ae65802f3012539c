import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ArtifactStore } from './artifact-store.port.js';
import { ARTIFACT_MARKER, artifactObject, artifactPrefix, type Artifact, type ArtifactFile, type ArtifactRef } from './artifact.js';
import { ArtifactCorruptError, ArtifactError } from './artifact.error.js';
import { digestOfFile, digestOfStream } from './digest.js';
import { toArtifactError } from './filesystem/filesystem-failure.js';
import { getArtifact } from './publish-artifact.js';

const DOWNLOADS_AT_ONCE = 4;

/**
 * A local folder with exactly the artifact's files, each checked against its SHA-256: the store's own folder where it is
 * one (do not write there), else `cacheDir/<digest>`, kept for the next time.
 * @throws ArtifactCorruptError naming the file, ArtifactError `NotFound`, `StorageFull`, …
 */
export async function materializeArtifact(store: ArtifactStore, ref: ArtifactRef, cacheDir: string): Promise<string> {
  const artifact = await getArtifact(store, ref.stage, ref.key);
  if (store.localRoot !== undefined && (await liesPlain(store, artifact))) {
    for (const file of artifact.files) await verifyInPlace(store, artifact, file);
    return join(store.localRoot, artifactPrefix(artifact));
  }
  const folder = join(cacheDir, artifact.digest);
  await mkdir(folder, { recursive: true });
  const waiting = [...artifact.files];
  const download = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) await fetchFile(store, artifact, file, folder);
  };
  await Promise.all(Array.from({ length: DOWNLOADS_AT_ONCE }, download));
  return folder;
}

/** Whether the store's folder holds the artifact's files under their own names, and nothing of another attempt. */
async function liesPlain(store: ArtifactStore, artifact: Artifact): Promise<boolean> {
  const prefix = artifactPrefix(artifact);
  const there = new Set((await store.list(prefix)).map(({ name }) => name.slice(prefix.length + 1)));
  there.delete(ARTIFACT_MARKER);
  const plain = artifact.files.filter((file) => file.object === undefined).map((file) => file.path);
  return plain.length === artifact.files.length && [...there].every((path) => plain.includes(path));
}

async function verifyInPlace(store: ArtifactStore, artifact: Artifact, file: ArtifactFile): Promise<void> {
  const { name, sha256 } = artifactObject(artifact, file.path);
  await naming(name, async () => digestOfStream(await store.open(name, { sha256 })));
}

async function fetchFile(store: ArtifactStore, artifact: Artifact, file: ArtifactFile, folder: string): Promise<void> {
  const target = join(folder, file.path);
  const cached = await digestOfFile(target).catch(() => undefined);
  if (cached?.sha256 === file.sha256) return;
  const { name, sha256 } = artifactObject(artifact, file.path);
  const temporary = `${target}.${randomUUID()}`;
  try {
    await mkdir(dirname(target), { recursive: true });
    await naming(name, async () => pipeline(await store.open(name, { sha256 }), createWriteStream(temporary, { flush: true })));
    await rename(temporary, target);
  } catch (error) {
    throw toArtifactError(error, file.path, folder);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** A file that a marker promises and the store lacks is corruption, not a wrong name. */
async function naming<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ArtifactError && error.code === 'NotFound') throw new ArtifactCorruptError(name, 'it is missing');
    throw error;
  }
}
