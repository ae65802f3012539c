import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ArtifactError, digestOfFile, findArtifact } from '@caricature/artifacts';
import type { ResolvedCatalog } from '@caricature/crawler';
import type { StageContext } from './stage.js';

const CATALOG = 'catalog.json';
/** A part's last object: the files that it saved, in the order in which they are brought. */
const DONE = 'done.json';

interface SavedFile {
  path: string;
  sha256: string;
}

type PartContext = Pick<StageContext, 'assignment' | 'store' | 'work' | 'part' | 'scratchDir' | 'signal' | 'log'>;

/**
 * How the processes that share a crawl meet, in the stage's work area. Each saves its shards, then says that it is done, and only then looks
 * for the others. So the last to say so sees them all, and one that is killed in between looks again when it is started again.
 */
export class CrawlParts {
  /** This part's shards, and in the end all. */
  readonly dir: string;
  /** Another resource may crawl the same at the same time, in other parts or at a source that has changed. */
  private readonly root: string;

  constructor(private readonly context: PartContext) {
    this.dir = join(context.scratchDir, 'shards');
    this.root = `parts/${context.assignment.owner.uid}/of-${context.part.of}`;
  }

  /** What all parts draw from, as the first of them found it: the source's catalog may change, and the samples' numbers with it. */
  async catalog(resolve: () => Promise<ResolvedCatalog>): Promise<ResolvedCatalog> {
    const { work } = this.context;
    const name = `${this.root}/${CATALOG}`;
    const kept = await this.read<ResolvedCatalog>(name);
    if (kept) return kept;
    const own = await resolve();
    const { created } = await work.putIfAbsent(name, Buffer.from(JSON.stringify(own)));
    // It is gone again when all of the crawl was done meanwhile by somebody else.
    return created ? own : ((await this.read<ResolvedCatalog>(name)) ?? own);
  }

  async isDone(): Promise<boolean> {
    return (await this.savedBy(this.context.part.index)) !== undefined;
  }

  /** Saves this part's shards, and that it is done. */
  async save(): Promise<void> {
    const { work, part, signal } = this.context;
    const saved: SavedFile[] = [];
    // Of a shard the statistics come before the tar, which is looked for: what is brought halfway is no shard.
    for (const path of (await readdir(this.dir)).filter((file) => file !== CATALOG && !file.startsWith('.')).sort()) {
      signal.throwIfAborted();
      const { sha256 } = await work.put(this.nameOf(part.index, path), { file: join(this.dir, path), link: true });
      saved.push({ path, sha256 });
    }
    await work.put(this.nameOf(part.index, DONE), Buffer.from(JSON.stringify(saved)));
  }

  /** Brings all shards to this machine. False when a part is not done, or when another process has made the artifact meanwhile. */
  async gather(): Promise<boolean> {
    const { assignment, store, part, log } = this.context;
    const parts: SavedFile[][] = [];
    for (let index = 0; index < part.of; index++) {
      const saved = await this.savedBy(index);
      if (!saved) return false;
      parts.push(saved);
    }
    await mkdir(this.dir, { recursive: true });
    const lacking: number[] = [];
    for (const [index, saved] of parts.entries()) if (!(await this.bring(index, saved))) lacking.push(index);
    // Whoever publishes clears the work area, but the artifact is there before.
    if (lacking.length > 0 && (await findArtifact(store, assignment.stage, assignment.key))) return false;
    for (const index of lacking) log(`what part ${index + 1} of ${part.of} saved is not whole: the rest of it is fetched again`);
    return true;
  }

  /** False when a file is not there as it was saved; those after it are not brought. */
  private async bring(index: number, saved: SavedFile[]): Promise<boolean> {
    const { work, scratchDir, signal } = this.context;
    for (const { path, sha256 } of saved) {
      const target = join(this.dir, path);
      if ((await digestOfFile(target).catch(() => undefined))?.sha256 === sha256) continue;
      const temporary = join(scratchDir, 'incoming');
      try {
        await pipeline(await work.open(this.nameOf(index, path), { sha256 }), createWriteStream(temporary, { flush: true }), { signal });
      } catch (error) {
        if (isLost(error)) return false;
        throw error;
      }
      await rename(temporary, target);
    }
    return true;
  }

  private savedBy(index: number): Promise<SavedFile[] | undefined> {
    return this.read<SavedFile[]>(this.nameOf(index, DONE));
  }

  private async read<T>(name: string): Promise<T | undefined> {
    try {
      return JSON.parse((await this.context.work.get(name)).toString()) as T;
    } catch (error) {
      if (isLost(error)) return undefined;
      throw error;
    }
  }

  private nameOf(index: number, path: string): string {
    return `${this.root}/${index}/${path}`;
  }
}

function isLost(error: unknown): boolean {
  return error instanceof ArtifactError && (error.code === 'NotFound' || error.code === 'ArtifactCorrupt');
}
