import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A sample whose picture is there. */
export interface Picture {
  index: number;
  sha256: string;
  bytes: number;
}

/** One sample that is done: its picture, or why there is none. */
export type JournalEntry = Picture | { index: number; reason: string };

export function isPicture(entry: JournalEntry): entry is Picture {
  return 'sha256' in entry;
}

const PICTURE = /^(\d{9})\.([0-9a-f]{64})\.png$/;
const FAILURE = /^(\d{9})\.failed$/;

/**
 * What was fetched of shards not yet written: a file a sample. A file appears whole by its rename, and its name says what
 * its bytes must hash to, so neither a kill nor a power cut leaves a wrong picture behind.
 */
export class Journal {
  /** Also for the unfinished files of others: what a killed process left here is cleared by the next. */
  readonly dir: string;

  /** @param part processes that share a crawl have a journal each */
  constructor(
    private readonly crawlDir: string,
    part: number,
  ) {
    this.dir = join(crawlDir, '.journal', String(part));
  }

  async open(): Promise<void> {
    await mkdir(this.dir, { recursive: true });
  }

  /** What is there and whole; what is not is removed. */
  async read(): Promise<JournalEntry[]> {
    const entries: JournalEntry[] = [];
    for (const name of (await readdir(this.dir)).sort()) {
      const entry = await this.readEntry(name);
      if (entry) entries.push(entry);
      else await rm(join(this.dir, name), { force: true });
    }
    return entries;
  }

  async addPicture(index: number, png: Buffer): Promise<Picture> {
    const entry = { index, sha256: sha256(png), bytes: png.length };
    await this.write(pictureName(entry), png);
    return entry;
  }

  async addFailure(index: number, reason: string): Promise<JournalEntry> {
    await this.write(`${number(index)}.failed`, JSON.stringify({ reason }));
    return { index, reason };
  }

  picture(entry: Picture): Promise<Buffer> {
    return readFile(join(this.dir, pictureName(entry)));
  }

  async forget(entries: readonly JournalEntry[]): Promise<void> {
    for (const entry of entries) {
      await rm(join(this.dir, isPicture(entry) ? pictureName(entry) : `${number(entry.index)}.failed`), { force: true });
    }
  }

  /** Removes the folder at the end of a crawl; other parts may still need theirs. */
  async close(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
    await rmdir(join(this.crawlDir, '.journal')).catch(() => {});
  }

  private async readEntry(name: string): Promise<JournalEntry | undefined> {
    const [, failed] = FAILURE.exec(name) ?? [];
    if (failed !== undefined) {
      const text = await readFile(join(this.dir, name), 'utf8');
      return text.endsWith('}') ? { index: Number(failed), reason: (JSON.parse(text) as { reason: string }).reason } : undefined;
    }
    const [, index, digest] = PICTURE.exec(name) ?? [];
    if (index === undefined || digest === undefined) return undefined;
    const png = await readFile(join(this.dir, name));
    return sha256(png) === digest ? { index: Number(index), sha256: digest, bytes: png.length } : undefined;
  }

  private async write(name: string, content: Buffer | string): Promise<void> {
    const temporary = join(this.dir, `${randomUUID()}.tmp`);
    try {
      await writeFile(temporary, content);
      await rename(temporary, join(this.dir, name));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }
}

/** A sample's number as its file is named: nine digits. */
export function number(index: number): string {
  return String(index).padStart(9, '0');
}

function pictureName({ index, sha256: digest }: Picture): string {
  return `${number(index)}.${digest}.png`;
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
