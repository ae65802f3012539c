import { isPicture, type Journal, type JournalEntry } from './journal.js';
import { findShard, type ShardRange, type ShardStatistics } from './shard.js';

/** Totals of what is done, finished shards and journal together. */
export interface FrontierTotals {
  images: number;
  duplicates: number;
  failed: number;
  bytes: number;
}

/** A shard not yet written, and its samples that are done. */
interface OpenShard {
  range: ShardRange;
  entries: Map<number, JournalEntry>;
}

/** What is still to be fetched, in order, and what was: taken from the disk, so that a killed crawl carries on. */
export class Frontier {
  readonly totals: FrontierTotals = { images: 0, duplicates: 0, failed: 0, bytes: 0 };
  private readonly seen = new Set<string>();
  private readonly open = new Map<number, OpenShard>();
  private complete: OpenShard[] = [];

  private constructor(private readonly imagesPerShard: number) {}

  /** Reads a crawl's folder. What the journal still holds of finished shards is forgotten. */
  static async load(dir: string, ranges: readonly ShardRange[], imagesPerShard: number, journal: Journal): Promise<Frontier> {
    const frontier = new Frontier(imagesPerShard);
    for (const range of ranges) {
      const statistics = await findShard(dir, range.shard);
      if (statistics) frontier.countShard(statistics);
      else frontier.open.set(range.shard, { range, entries: new Map() });
    }
    for (const entry of await journal.read()) {
      if (!frontier.add(entry)) await journal.forget([entry]);
    }
    return frontier;
  }

  /** Numbers of the samples not done, in order, found as they are asked for. */
  *pending(): Generator<number> {
    for (const { range, entries } of [...this.open.values()]) {
      for (let index = range.first; index < range.first + range.count; index++) if (!entries.has(index)) yield index;
    }
  }

  /** Counts a sample as done; false when no open shard lacks it. */
  add(entry: JournalEntry): boolean {
    const shard = Math.floor(entry.index / this.imagesPerShard);
    const open = this.open.get(shard);
    if (!open || open.entries.has(entry.index)) return false;
    open.entries.set(entry.index, entry);
    if (isPicture(entry)) this.count(entry.sha256, entry.bytes);
    else this.totals.failed++;
    if (open.entries.size === open.range.count) {
      this.open.delete(shard);
      this.complete.push(open);
    }
    return true;
  }

  /** Shards whose samples are all done, to be written; each is given out once. */
  takeComplete(): { range: ShardRange; entries: JournalEntry[] }[] {
    const taken = this.complete;
    this.complete = [];
    return taken.map(({ range, entries }) => ({ range, entries: [...entries.values()] }));
  }

  private countShard({ digests, failed, bytes }: ShardStatistics): void {
    for (const digest of digests) this.count(digest, 0);
    this.totals.bytes += bytes;
    this.totals.failed += failed.length;
  }

  /** Half of a digest is enough to tell pictures apart, and to count a million of them in memory. */
  private count(digest: string, bytes: number): void {
    this.totals.images++;
    this.totals.bytes += bytes;
    const short = digest.slice(0, 24);
    if (this.seen.has(short)) this.totals.duplicates++;
    this.seen.add(short);
  }
}
