import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand, paginateListObjectsV2, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { ArtifactStore, ByteListener, ExpectedContent, ObjectContent, ObjectInfo, WrittenObject } from '../artifact-store.port.js';
import { ArtifactCorruptError } from '../artifact.error.js';
import { digestError, digestOfFile, sha256, VerifyingStream } from '../digest.js';
import { checkObjectName, checkPrefix, isBelow } from '../object-name.js';
import { isConflict, isMissing, isTaken, toArtifactError } from './s3-failure.js';

/** Where and as whom to speak S3; what is left out comes from the SDK's own places (environment, profile, pod identity). */
export interface S3Options {
  /** Any S3 service; without it, AWS. */
  endpoint?: string;
  region?: string;
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  /** Bucket in the path rather than in the host name; by default where an endpoint is given. */
  forcePathStyle?: boolean;
  /** After so long without a byte a service counts as gone; a minute unless told. */
  silenceMs?: number;
}

const PART_BYTES = 8 * 1024 * 1024;
const CONFLICT_RETRIES = 5;
const CONNECT_MS = 10_000;
const SILENCE_MS = 60_000;

/** Objects in an S3 bucket below a prefix; each carries its SHA-256 as metadata, which every read checks. */
export class S3ArtifactStore implements ArtifactStore {
  readonly uri: string;
  readonly localRoot = undefined;
  private readonly client: S3Client;

  constructor(
    private readonly bucket: string,
    private readonly prefix: string,
    options: S3Options = {},
    private readonly onBytes: ByteListener = () => {},
  ) {
    this.uri = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`;
    const { endpoint, region = 'us-east-1', credentials, forcePathStyle = endpoint !== undefined, silenceMs = SILENCE_MS } = options;
    // The SDK's CRC would only repeat, with an error of its own, what every read checks by SHA-256.
    const common = { region, forcePathStyle, responseChecksumValidation: 'WHEN_REQUIRED', requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: silenceMs } } as const;
    this.client = new S3Client({ ...common, ...(endpoint ? { endpoint } : {}), ...(credentials ? { credentials } : {}) });
  }

  async put(name: string, content: ObjectContent): Promise<WrittenObject> {
    const { sha256: digest, bytes } = await this.write(name, content, false);
    return { sha256: digest, bytes };
  }

  async putIfAbsent(name: string, content: ObjectContent): Promise<WrittenObject & { created: boolean }> {
    return this.write(name, content, true);
  }

  async get(name: string, expected: ExpectedContent = {}): Promise<Buffer> {
    return this.attempt(name, async (key) => {
      const found = await this.client.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
      const content = Buffer.from((await found.Body?.transformToByteArray()) ?? []);
      this.onBytes('read', content.length);
      const wrong = digestError(name, sha256(content), expectedDigest(name, found.Metadata, expected));
      if (wrong) throw wrong;
      return content;
    });
  }

  async open(name: string, expected: ExpectedContent = {}): Promise<Readable> {
    return this.attempt(name, async (key) => {
      const found = await this.client.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
      const digest = expectedDigest(name, found.Metadata, expected);
      const verifying = new VerifyingStream(name, digest, (bytes) => this.onBytes('read', bytes));
      pipeline(found.Body as Readable, verifying).catch(() => {}); // the reader sees the error on `verifying`
      return verifying;
    });
  }

  async head(name: string): Promise<ObjectInfo | undefined> {
    return this.attempt(name, async (key) => {
      try {
        const found = await this.client.send(new HeadObjectCommand({ Bucket: this.bucket, Key: key }));
        const digest = found.Metadata?.['sha256'];
        return { name, bytes: found.ContentLength ?? 0, ...(digest ? { sha256: digest } : {}) };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  async list(prefix: string): Promise<ObjectInfo[]> {
    const below = checkPrefix(prefix);
    const root = this.prefix === '' ? '' : `${this.prefix}/`;
    const found: ObjectInfo[] = [];
    try {
      for await (const page of paginateListObjectsV2({ client: this.client }, { Bucket: this.bucket, Prefix: root + below })) {
        for (const { Key: key = '', Size: bytes = 0, ETag: etag } of page.Contents ?? []) {
          const name = key.slice(root.length);
          if (name !== '' && !name.endsWith('/') && isBelow(name, below)) found.push({ name, bytes, ...(etag ? { etag } : {}) });
        }
      }
    } catch (error) {
      throw toArtifactError(error, prefix, this.uri);
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async remove(prefix: string): Promise<void> {
    const found = await this.list(prefix);
    for (let start = 0; start < found.length; start += 1000) {
      const Objects = found.slice(start, start + 1000).map(({ name }) => ({ Key: this.key(name) }));
      await this.attempt(found[start]!.name, async () => {
        const answer = await this.client.send(new DeleteObjectsCommand({ Bucket: this.bucket, Delete: { Objects, Quiet: true } }));
        const refused = answer.Errors?.[0];
        if (refused) throw Object.assign(new Error(`${refused.Key}: ${refused.Message}`), { name: refused.Code ?? 'Error' });
      });
    }
  }

  close(): void {
    this.client.destroy();
  }

  private key(name: string): string {
    return this.prefix === '' ? checkObjectName(name) : `${this.prefix}/${checkObjectName(name)}`;
  }

  /** The digest goes into the object's metadata, so a stream is first kept in a temporary file to learn it. */
  private async write(name: string, content: ObjectContent, onlyIfAbsent: boolean): Promise<WrittenObject & { created: boolean }> {
    return this.attempt(name, async (key) => {
      if (Buffer.isBuffer(content)) {
        const written = { sha256: sha256(content), bytes: content.length };
        return this.send(key, written, onlyIfAbsent, () => content);
      }
      if (!(content instanceof Readable)) return this.sendFile(key, content.file, onlyIfAbsent);
      const temporary = join(tmpdir(), `caricature-upload-${randomUUID()}`);
      try {
        await pipeline(content, createWriteStream(temporary, { flags: 'wx' }));
        return await this.sendFile(key, temporary, onlyIfAbsent);
      } finally {
        await rm(temporary, { force: true });
      }
    });
  }

  private async sendFile(key: string, file: string, onlyIfAbsent: boolean): Promise<WrittenObject & { created: boolean }> {
    return this.send(key, await digestOfFile(file), onlyIfAbsent, () => createReadStream(file, { highWaterMark: 1 << 20 }));
  }

  private async send(
    key: string,
    written: WrittenObject,
    onlyIfAbsent: boolean,
    body: () => Buffer | Readable,
  ): Promise<WrittenObject & { created: boolean }> {
    const condition = onlyIfAbsent ? { IfNoneMatch: '*' } : {};
    for (let retry = 0; ; retry++) {
      const params = { Bucket: this.bucket, Key: key, Metadata: { sha256: written.sha256 }, ...condition };
      try {
        const content = body();
        if (Buffer.isBuffer(content)) await this.client.send(new PutObjectCommand({ ...params, Body: content }));
        else await new Upload({ client: this.client, params: { ...params, Body: content }, partSize: PART_BYTES, queueSize: 4 }).done();
        this.onBytes('write', written.bytes);
        return { ...written, created: true };
      } catch (error) {
        if (onlyIfAbsent && isTaken(error)) return { ...written, created: false };
        if (!isConflict(error) || retry === CONFLICT_RETRIES) throw error;
        await sleep(50 * 2 ** retry);
      }
    }
  }

  private async attempt<T>(name: string, action: (key: string) => Promise<T>): Promise<T> {
    const key = this.key(name);
    try {
      return await action(key);
    } catch (error) {
      throw toArtifactError(error, name, this.uri);
    }
  }
}

/** What artifact.json promises goes before what the object says of itself; where both speak they must agree. */
function expectedDigest(name: string, metadata: Record<string, string> | undefined, expected: ExpectedContent): string | undefined {
  const recorded = metadata?.['sha256'];
  if (expected.sha256 && recorded && expected.sha256 !== recorded) {
    throw new ArtifactCorruptError(name, `it is recorded with SHA-256 ${recorded}, ${expected.sha256} was published`);
  }
  return expected.sha256 ?? recorded;
}
