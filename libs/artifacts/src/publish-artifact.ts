import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactStore, WrittenObject } from './artifact-store.port.js';
import { ARTIFACT_MARKER, artifactPrefix, digestOfFiles, parseArtifact, type Artifact, type ArtifactFile, type ArtifactRef } from './artifact.js';
import { ArtifactError } from './artifact.error.js';
import { digestOfStream } from './digest.js';
import { checkObjectName } from './object-name.js';

export interface Publication extends ArtifactRef {
  /** Local folder whose files are published; an `artifact.json` at its top is left out. */
  dir: string;
  /** Digests of the artifacts it was made of. */
  from?: string[];
  metadata?: Record<string, unknown>;
}

/**
 * Publishes a folder as the artifact `<stage>/<key>`: files first, the marker last. Killed at any instant and called again
 * it carries on; of several publishers of one key the first to write the marker wins and all get its artifact.
 * A folder store shares files on its own disk instead of copying them: do not change them in place afterwards.
 * @throws ArtifactError `NotARegularFile` for links, sockets and the like in the folder, `StorageFull`, …
 */
export async function publishArtifact(store: ArtifactStore, publication: Publication): Promise<Artifact> {
  const existing = await findArtifact(store, publication.stage, publication.key);
  if (existing) return existing;
  const prefix = artifactPrefix(publication);
  const files: ArtifactFile[] = [];
  for (const path of await filesOf(publication.dir)) files.push(await placeFile(store, prefix, path, join(publication.dir, path)));
  const { stage, key, from = [], metadata = {} } = publication;
  const artifact: Artifact = { key, stage, digest: digestOfFiles(files), files, from, createdAt: new Date().toISOString(), metadata };
  const marker = Buffer.from(`${JSON.stringify(artifact, null, 2)}\n`);
  const { created } = await store.putIfAbsent(`${prefix}/${ARTIFACT_MARKER}`, marker);
  return created ? artifact : getArtifact(store, stage, key);
}

/** The artifact of a stage and key, or undefined while none is committed. Throws ArtifactCorruptError for a broken marker. */
export async function findArtifact(store: Pick<ArtifactStore, 'get'>, stage: string, key: string): Promise<Artifact | undefined> {
  const name = `${artifactPrefix({ stage, key })}/${ARTIFACT_MARKER}`;
  try {
    return parseArtifact(name, await store.get(name), { stage, key });
  } catch (error) {
    if (error instanceof ArtifactError && error.code === 'NotFound') return undefined;
    throw error;
  }
}

/** As {@link findArtifact}, but throws `NotFound`. */
export async function getArtifact(store: ArtifactStore, stage: string, key: string): Promise<Artifact> {
  const found = await findArtifact(store, stage, key);
  if (!found) throw new ArtifactError('NotFound', `No artifact ${stage}/${key} is in ${store.uri}.`);
  return found;
}

/** Removes an artifact, its marker first, so that no half of it is ever found. */
export async function removeArtifact(store: Pick<ArtifactStore, 'remove'>, { stage, key }: ArtifactRef): Promise<void> {
  const prefix = artifactPrefix({ stage, key });
  await store.remove(`${prefix}/${ARTIFACT_MARKER}`);
  await store.remove(prefix);
}

/**
 * No object of an artifact is ever overwritten: a publisher that comes late, or a second one with other content, could
 * otherwise change files under a marker already written. Where the plain name holds other content, a name of its own is used.
 */
async function placeFile(store: ArtifactStore, prefix: string, path: string, file: string): Promise<ArtifactFile> {
  const name = checkObjectName(`${prefix}/${path}`);
  const { created, sha256, bytes } = await store.putIfAbsent(name, { file, link: true });
  const placed = { path, sha256, bytes };
  if (created || (await holds(store, name, placed))) return placed;
  const object = `${path}.${sha256}`;
  const aside = `${prefix}/${object}`;
  const second = await store.putIfAbsent(aside, { file, link: true });
  if (!second.created && !(await holds(store, aside, placed))) await store.put(aside, { file, link: true });
  return { ...placed, object };
}

async function holds(store: ArtifactStore, name: string, wanted: WrittenObject): Promise<boolean> {
  const found = await store.head(name);
  if (!found || found.bytes !== wanted.bytes) return false;
  const digest = found.sha256 ?? (await digestOfStream(await store.open(name))).sha256;
  return digest === wanted.sha256;
}

/** Paths of a folder's files, relative, with slashes, sorted. */
async function filesOf(dir: string, below = ''): Promise<string[]> {
  const paths: string[] = [];
  for (const entry of await readdir(join(dir, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (path === ARTIFACT_MARKER) continue;
    if (entry.isDirectory()) paths.push(...(await filesOf(dir, path)));
    else if (entry.isFile()) paths.push(path);
    else throw new ArtifactError('NotARegularFile', `${join(dir, path)} is not a regular file. Put the file itself there, or leave it out.`);
  }
  return paths.sort((a, b) => (a < b ? -1 : 1));
}
