import type { Readable } from 'node:stream';
import type { Artifact, ArtifactRef } from './artifact.js';
import { artifactPrefix } from './artifact.js';
import type { ArtifactStore, ExpectedContent, ObjectContent, ObjectInfo, WrittenObject } from './artifact-store.port.js';
import { checkObjectName } from './object-name.js';

/** Unfinished work of one stage (checkpoints, partial crawls) below `work/<stage>/<key>/`; names are relative to it. */
export interface WorkArea {
  readonly prefix: string;
  put(name: string, content: ObjectContent): Promise<WrittenObject>;
  /** Puts it unless one is there; of many at once exactly one gets `created: true`. */
  putIfAbsent(name: string, content: ObjectContent): Promise<WrittenObject & { created: boolean }>;
  /** Throws `NotFound`, and ArtifactCorruptError when the digest is not the one expected. */
  get(name: string, expected?: ExpectedContent): Promise<Buffer>;
  /** As `get`, as a stream. */
  open(name: string, expected?: ExpectedContent): Promise<Readable>;
  head(name: string): Promise<ObjectInfo | undefined>;
  list(prefix?: string): Promise<ObjectInfo[]>;
  /** Without a name: all of it, once the stage's artifact is published. */
  remove(name?: string): Promise<void>;
}

/** The work area of a stage's key. */
export function createWorkArea(store: ArtifactStore, ref: ArtifactRef | Artifact): WorkArea {
  const prefix = `work/${artifactPrefix(ref)}`;
  const full = (name: string) => `${prefix}/${checkObjectName(name)}`;
  return {
    prefix,
    put: (name, content) => store.put(full(name), content),
    putIfAbsent: (name, content) => store.putIfAbsent(full(name), content),
    get: (name, expected) => store.get(full(name), expected),
    open: (name, expected) => store.open(full(name), expected),
    head: (name) => store.head(full(name)),
    remove: (name) => store.remove(name === undefined ? prefix : full(name)),
    list: async (below) => {
      const found = await store.list(below === undefined ? prefix : full(below));
      return found.map((info) => ({ ...info, name: info.name.slice(prefix.length + 1) }));
    },
  };
}
