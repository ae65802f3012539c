import { statfs } from 'node:fs/promises';

const LITTLE_BYTES = 32 * 2 ** 20;

export interface DiskWatchOptions {
  /** Bytes that may still be written to the disk of a folder. */
  freeBytes?: (folder: string) => Promise<number>;
  everyMs?: number;
}

/**
 * Says when the disk of a folder fills up, and when there is room again: programs that cannot write try again by themselves, but nobody would know
 * why nothing moves. Ends when the function given back is called.
 */
export function watchDisk(folder: string, note: (line: string) => void, { freeBytes = freeOf, everyMs = 2_000 }: DiskWatchOptions = {}): () => void {
  let full = false;
  const look = async () => {
    const isFull = (await freeBytes(folder)) < LITTLE_BYTES;
    if (isFull && !full) note(`the disk of ${folder} is full: make room on it, or choose another place with --home. Nothing is lost, and work goes on by itself once there is room`);
    if (!isFull && full) note(`there is room on the disk of ${folder} again`);
    full = isFull;
  };
  const timer = setInterval(() => void look().catch(() => undefined), everyMs);
  return () => clearInterval(timer);
}

async function freeOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
