import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { link, lstat, mkdir, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import type { ArtifactStore, ByteListener, ExpectedContent, ObjectContent, ObjectInfo, WrittenObject } from '../artifact-store.port.js';
import { ArtifactError } from '../artifact.error.js';
import { digestError, digestOfFile, HashingStream, sha256, VerifyingStream } from '../digest.js';
import { checkObjectName, checkPrefix, TEMPORARY_FOLDER } from '../object-name.js';
import { errnoOf, toArtifactError } from './filesystem-failure.js';

const STALE_AFTER_MS = 24 * 3600 * 1000;
/** What `link` answers where a file cannot be shared: another disk, a file system without links, too many links. */
const UNLINKABLE = new Set(['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS']);

/** Objects as plain files below a folder, so that numpy, tar and a browser's file:// read them where they lie. */
export class FilesystemArtifactStore implements ArtifactStore {
  readonly uri: string;
  readonly localRoot: string;
  private prepared: Promise<void> | undefined;

  constructor(root: string, private readonly onBytes: ByteListener = () => {}) {
    this.localRoot = root.length > 1 && root.endsWith(sep) ? root.slice(0, -1) : root;
    this.uri = pathToFileURL(this.localRoot).href;
  }

  async put(name: string, content: ObjectContent): Promise<WrittenObject> {
    return this.write(name, content, async (temporary, target) => rename(temporary, target));
  }

  async putIfAbsent(name: string, content: ObjectContent): Promise<WrittenObject & { created: boolean }> {
    let created = true;
    // A link, unlike a rename, fails when the target exists: the file system picks the one winner.
    const written = await this.write(name, content, async (temporary, target) => {
      await link(temporary, target).catch((error: unknown) => {
        if (errnoOf(error) !== 'EEXIST') throw error;
        created = false;
      });
    });
    return { ...written, created };
  }

  async get(name: string, expected: ExpectedContent = {}): Promise<Buffer> {
    return this.attempt(name, async (path) => {
      const handle = await open(path, 'r');
      const content = await handle.readFile().finally(() => handle.close());
      this.onBytes('read', content.length);
      const wrong = digestError(name, sha256(content), expected.sha256);
      if (wrong) throw wrong;
      return content;
    });
  }

  async open(name: string, expected: ExpectedContent = {}): Promise<Readable> {
    return this.attempt(name, async (path) => {
      const handle = await open(path, 'r');
      const verifying = new VerifyingStream(name, expected.sha256, (bytes) => this.onBytes('read', bytes));
      pipeline(handle.createReadStream(), verifying).catch(() => {}); // the reader sees the error on `verifying`
      return verifying;
    });
  }

  async head(name: string): Promise<ObjectInfo | undefined> {
    return this.attempt(name, async (path) => {
      const found = await lstat(path).catch(undefinedWhenMissing);
      return found?.isFile() ? { name, bytes: found.size } : undefined;
    });
  }

  async list(prefix: string): Promise<ObjectInfo[]> {
    const below = checkPrefix(prefix);
    if (below !== '') {
      const single = await this.head(below);
      if (single) return [single];
    }
    const found: ObjectInfo[] = [];
    await this.collect(below, found);
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async remove(prefix: string): Promise<void> {
    const below = checkPrefix(prefix);
    const names = below === '' ? await readdir(this.localRoot).catch(emptyWhenMissing) : [below];
    for (const name of names) {
      if (name === TEMPORARY_FOLDER) continue;
      await this.attempt(name, (path) => rm(path, { recursive: true, force: true }));
    }
  }

  close(): void {}

  private async write(
    name: string,
    content: ObjectContent,
    place: (temporary: string, target: string) => Promise<void>,
  ): Promise<WrittenObject> {
    return this.attempt(name, async (target) => {
      await (this.prepared ??= this.prepare());
      const temporary = join(this.localRoot, TEMPORARY_FOLDER, randomUUID());
      try {
        const written = await stage(content, temporary);
        await mkdir(dirname(target), { recursive: true });
        await place(temporary, target);
        await syncPath(dirname(target));
        this.onBytes('write', written.bytes);
        return written;
      } finally {
        await rm(temporary, { force: true });
      }
    });
  }

  /** Makes the folder for unfinished writes and clears what killed processes left in it. */
  private async prepare(): Promise<void> {
    const folder = join(this.localRoot, TEMPORARY_FOLDER);
    await mkdir(folder, { recursive: true });
    for (const name of await readdir(folder)) {
      const left = await stat(join(folder, name)).catch(undefinedWhenMissing);
      if (left && Date.now() - left.mtimeMs > STALE_AFTER_MS) await rm(join(folder, name), { force: true });
    }
  }

  private async collect(below: string, found: ObjectInfo[]): Promise<void> {
    const entries = await readdir(join(this.localRoot, below), { withFileTypes: true }).catch(emptyWhenMissing);
    for (const entry of entries) {
      const name = below === '' ? entry.name : `${below}/${entry.name}`;
      if (name === TEMPORARY_FOLDER) continue;
      if (entry.isDirectory()) await this.collect(name, found);
      if (!entry.isFile()) continue;
      const info = await stat(join(this.localRoot, name)).catch(undefinedWhenMissing);
      if (info) found.push({ name, bytes: info.size });
    }
  }

  /** Runs an action on the path of a name, checked, and turns what the file system says into an ArtifactError. */
  private async attempt<T>(name: string, action: (path: string) => Promise<T>): Promise<T> {
    const path = join(this.localRoot, ...checkObjectName(name).split('/'));
    try {
      await this.refuseLinksOut(name, path);
      return await action(path);
    } catch (error) {
      if (errnoOf(error) !== undefined && this.prepared) this.prepared = undefined;
      throw toArtifactError(error, name, this.localRoot);
    }
  }

  /** A symbolic link below the root could lead out of it, though the name does not. */
  private async refuseLinksOut(name: string, path: string): Promise<void> {
    const root = await realpath(this.localRoot).catch(undefinedWhenMissing);
    if (root === undefined) return;
    let existing = path;
    while (existing.length > this.localRoot.length) {
      const real = await realpath(existing).catch(undefinedWhenMissing);
      if (real !== undefined) {
        if (real === root || real.startsWith(root + sep)) return;
        throw new ArtifactError('InvalidName', `Object name ${JSON.stringify(name)} is refused: a link leads out of ${this.localRoot}.`);
      }
      existing = dirname(existing);
    }
  }
}

/** Puts content into a new file, on the disk when this returns. */
async function stage(content: ObjectContent, temporary: string): Promise<WrittenObject> {
  if (!Buffer.isBuffer(content) && !(content instanceof Readable)) {
    if (content.link && (await tryLink(content.file, temporary))) {
      await syncPath(temporary);
      return digestOfFile(temporary);
    }
    return stage(createReadStream(content.file, { highWaterMark: 1 << 20 }), temporary);
  }
  const hashing = new HashingStream();
  const source = Buffer.isBuffer(content) ? Readable.from([content], { objectMode: false }) : content;
  await pipeline(source, hashing, createWriteStream(temporary, { flags: 'wx', flush: true }));
  return hashing.written;
}

async function tryLink(file: string, temporary: string): Promise<boolean> {
  return link(file, temporary).then(
    () => true,
    (error: unknown) => {
      if (UNLINKABLE.has(errnoOf(error) ?? '')) return false;
      throw error;
    },
  );
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
}

function undefinedWhenMissing(error: unknown): undefined {
  if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
  throw error;
}

function emptyWhenMissing(error: unknown): [] {
  undefinedWhenMissing(error);
  return [];
}
