import { findArtifact, type ArtifactRef, type ArtifactStore } from '@caricature/artifacts';
import type { Database } from '@caricature/database';

/** One that was there is believed to be for as long: of many runs that take the same, one asks. */
const BELIEVED_MS = 60_000;

/** Whether the artifacts that the database knows of are still in the store: anybody may have deleted some of them to make room. */
export class StoredArtifacts {
  /** By key, the longest ago first. */
  private readonly seenAtMs = new Map<string, number>();

  constructor(
    private readonly store: Pick<ArtifactStore, 'get'>,
    private readonly known: Pick<Database['artifacts'], 'forget'>,
    private readonly now: () => number = Date.now,
  ) {}

  /** One that is gone is forgotten, so that it is made again. A store that cannot be read just now has lost nothing. */
  async has({ stage, key }: ArtifactRef): Promise<boolean> {
    for (const [seen, atMs] of this.seenAtMs) {
      if (this.now() - atMs < BELIEVED_MS) break;
      this.seenAtMs.delete(seen);
    }
    if (this.seenAtMs.has(key)) return true;
    const isThere = await findArtifact(this.store, stage, key).then((found) => found !== undefined, () => true);
    if (isThere) this.seenAtMs.set(key, this.now());
    else await this.known.forget(key);
    return isThere;
  }
}
