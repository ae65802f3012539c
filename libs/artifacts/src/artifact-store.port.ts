import type { Readable } from 'node:stream';

/**
 * What can be written. `link: true` lets a folder store share the file instead of copying it when both are on one
 * file system; such a file must not be changed in place afterwards (write a new one and rename it).
 */
export type ObjectContent = Buffer | Readable | { file: string; link?: boolean };

/** What was written: its SHA-256 in lower-case hex and its size. */
export interface WrittenObject {
  sha256: string;
  bytes: number;
}

/** What a store knows of an object without reading it; S3 knows the digest, a folder does not. */
export interface ObjectInfo {
  name: string;
  bytes: number;
  sha256?: string;
  /** Another one whenever the content is another: what S3 tells of objects that it lists. */
  etag?: string;
}

/** The digest that a read must give; taken from the object's artifact.json. */
export interface ExpectedContent {
  sha256?: string;
}

/**
 * Objects by name under one root (`file:///folder` or `s3://bucket/prefix`). A write is atomic: an object is there whole
 * or not at all, whatever dies meanwhile. Every method refuses names that could leave the root (`InvalidName`), and gives
 * `StorageFull`, `StoreUnreachable`, `AccessDenied`, `BucketMissing` or `StorageFailed` when the storage does.
 */
export interface ArtifactStore {
  /** The root, without a closing slash. */
  readonly uri: string;
  /** Local folder of the root, when objects are plain files there. */
  readonly localRoot: string | undefined;
  /** Writes or replaces an object. */
  put(name: string, content: ObjectContent): Promise<WrittenObject>;
  /** Writes an object unless one is there; of many at once exactly one gets `created: true`. */
  putIfAbsent(name: string, content: ObjectContent): Promise<WrittenObject & { created: boolean }>;
  /** The whole object. Throws `NotFound`, and ArtifactCorruptError when the digest recorded or expected differs. */
  get(name: string, expected?: ExpectedContent): Promise<Buffer>;
  /** The object as a stream, which fails at its end with ArtifactCorruptError when the digest differs. Throws `NotFound`. */
  open(name: string, expected?: ExpectedContent): Promise<Readable>;
  /** Size and digest, or undefined when there is no such object. */
  head(name: string): Promise<ObjectInfo | undefined>;
  /** Objects at or below a prefix ('' is all), sorted by name. */
  list(prefix: string): Promise<ObjectInfo[]>;
  /** Removes everything at or below a prefix; nothing there is no error. */
  remove(prefix: string): Promise<void>;
  /** Lets go of connections. */
  close(): void;
}

/** Told of bytes moved, for `caricature_artifact_bytes_total{op}`. */
export type ByteListener = (op: 'read' | 'write', bytes: number) => void;
