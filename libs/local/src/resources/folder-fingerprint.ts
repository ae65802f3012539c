import { createHash } from 'node:crypto';
import { lstat, readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * A digest of a `file://` folder's names, sizes and times of change, which stands for what it holds; undefined for other addresses, for those
 * that name no folder of this machine and for a folder that is not there (the stage that reads it says so).
 */
export async function folderFingerprint(uri: string): Promise<string | undefined> {
  const root = findPath(uri);
  if (root === undefined) return undefined;
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (!entries) return undefined;
  const hash = createHash('sha256');
  // A photo may be a symbolic link: what it leads to is read, so that is what counts. Of one that leads nowhere there is only the link.
  const files = entries.filter((e) => !e.isDirectory()).map((e) => join(e.parentPath, e.name)).sort();
  for (const file of files) {
    const { size, mtimeMs } = await stat(file).catch(() => lstat(file));
    hash.update(`${relative(root, file)}\0${size}\0${Math.round(mtimeMs)}\n`);
  }
  return hash.digest('hex');
}

function findPath(uri: string): string | undefined {
  if (!uri.startsWith('file://')) return undefined;
  try {
    return fileURLToPath(uri);
  } catch {
    return undefined;
  }
}
