import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack as createPack, type Pack } from 'tar-stream';
import type { CrawlPart } from './crawl-spec.js';
import { isPicture, number, type Journal, type JournalEntry } from './journal.js';

/** What is known of a finished shard; `avatars-000000.json` beside its tar. Holds no times: equal crawls give equal bytes. */
export interface ShardStatistics {
  shard: number;
  first: number;
  count: number;
  images: number;
  bytes: number;
  failed: { index: number; reason: string }[];
  /** SHA-256 of each picture, in the order of the tar. */
  digests: string[];
  /** SHA-256 of the tar. */
  sha256: string;
}

/** Samples `[first, first + count)`. */
export interface ShardRange {
  shard: number;
  first: number;
  count: number;
}

/** The shards of a crawl that one of several processes writes: every `of`-th. */
export function planShards(count: number, imagesPerShard: number, part: CrawlPart): ShardRange[] {
  const shards: ShardRange[] = [];
  for (let shard = part.index; shard * imagesPerShard < count; shard += part.of) {
    const first = shard * imagesPerShard;
    shards.push({ shard, first, count: Math.min(imagesPerShard, count - first) });
  }
  return shards;
}

export function shardName(shard: number): string {
  return `avatars-${String(shard).padStart(6, '0')}`;
}

/** The statistics of a shard that is finished, or undefined: the tar is there only when all else of it is. */
export async function findShard(dir: string, shard: number): Promise<ShardStatistics | undefined> {
  const tar = await stat(join(dir, `${shardName(shard)}.tar`)).catch(() => undefined);
  if (!tar) return undefined;
  return JSON.parse(await readFile(join(dir, `${shardName(shard)}.json`), 'utf8')) as ShardStatistics;
}

/**
 * Writes a shard from the journal: `avatars-000000.tar` in WebDataset's form (`<index>.png`, then `<index>.json`), in
 * order of the samples and with no time or owner in it, and its statistics before it.
 */
export async function writeShard(
  dir: string,
  range: ShardRange,
  entries: readonly JournalEntry[],
  journal: Journal,
  describe: (index: number) => unknown,
): Promise<ShardStatistics> {
  const sorted = [...entries].sort((a, b) => a.index - b.index);
  const pictures = sorted.filter(isPicture);
  const temporary = join(journal.dir, `${randomUUID()}.tmp`);
  try {
    const sha256 = await writeTar(temporary, async (pack) => {
      for (const entry of pictures) {
        await addEntry(pack, `${number(entry.index)}.png`, await journal.picture(entry));
        await addEntry(pack, `${number(entry.index)}.json`, Buffer.from(JSON.stringify(describe(entry.index))));
      }
    });
    const statistics: ShardStatistics = {
      ...range,
      images: pictures.length,
      bytes: pictures.reduce((sum, { bytes }) => sum + bytes, 0),
      failed: sorted.flatMap((entry) => (isPicture(entry) ? [] : [entry])),
      digests: pictures.map((entry) => entry.sha256),
      sha256,
    };
    await writeAtomically(join(dir, `${shardName(range.shard)}.json`), `${JSON.stringify(statistics)}\n`, journal.dir);
    await rename(temporary, join(dir, `${shardName(range.shard)}.tar`));
    await syncFolder(dir);
    return statistics;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Writes a small file so that it is there whole or not at all. */
export async function writeAtomically(file: string, content: string, temporaryDir: string): Promise<void> {
  const temporary = join(temporaryDir, `${randomUUID()}.tmp`);
  const handle = await open(temporary, 'wx');
  try {
    await handle.writeFile(content);
    await handle.sync();
    await rename(temporary, file);
  } finally {
    await handle.close();
    await rm(temporary, { force: true });
  }
}

async function writeTar(file: string, fill: (pack: Pack) => Promise<void>): Promise<string> {
  const pack = createPack();
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const written = pipeline(pack, hashing, createWriteStream(file, { flags: 'wx', flush: true }));
  written.catch(() => {}); // awaited below; a failure must not be unhandled while the pack is filled
  await Promise.race([fill(pack).then(() => pack.finalize()), written.then(() => undefined)]);
  await written;
  return hash.digest('hex');
}

/** Waits until the entry has gone on, so that a shard is never in memory whole. */
function addEntry(pack: Pack, name: string, content: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const header = { name, size: content.length, mode: 0o644, mtime: new Date(0), uid: 0, gid: 0, type: 'file' as const };
    pack.entry(header, content, (error) => (error ? reject(error) : resolve()));
  });
}

async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  await handle.sync().finally(() => handle.close());
}
