import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Transform, type Readable, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { WrittenObject } from './artifact-store.port.js';
import { ArtifactCorruptError } from './artifact.error.js';

/** SHA-256 in lower-case hex. */
export function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Passes bytes on while it counts and hashes them; read `written` after the end. */
export class HashingStream extends Transform {
  private readonly hash: Hash = createHash('sha256');
  private bytes = 0;
  private digest: string | undefined;

  /** Digest and size of what went through; call after the stream ended. */
  get written(): WrittenObject {
    this.digest ??= this.hash.digest('hex');
    return { sha256: this.digest, bytes: this.bytes };
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.hash.update(chunk);
    this.bytes += chunk.length;
    done(null, chunk);
  }
}

/** Passes an object's bytes on and fails at the end with ArtifactCorruptError unless they have the digest expected. */
export class VerifyingStream extends HashingStream {
  constructor(
    private readonly objectName: string,
    private readonly expected: string | undefined,
    private readonly onEnd: (bytes: number) => void,
  ) {
    super();
  }

  override _flush(done: TransformCallback): void {
    this.onEnd(this.written.bytes);
    done(digestError(this.objectName, this.written.sha256, this.expected) ?? null);
  }
}

/** The error for a digest other than the one expected, if any was. */
export function digestError(name: string, actual: string, expected: string | undefined): ArtifactCorruptError | undefined {
  if (expected === undefined || expected === actual) return undefined;
  return new ArtifactCorruptError(name, `its SHA-256 is ${actual}, ${expected} was published`);
}

/** Digest and size of a stream, read to its end. */
export async function digestOfStream(source: Readable): Promise<WrittenObject> {
  const hashing = new HashingStream();
  await pipeline(source, hashing, async (chunks: AsyncIterable<Buffer>) => {
    for await (const _ of chunks);
  });
  return hashing.written;
}

/** Digest and size of a local file. */
export function digestOfFile(file: string): Promise<WrittenObject> {
  return digestOfStream(createReadStream(file, { highWaterMark: 1 << 20 }));
}
