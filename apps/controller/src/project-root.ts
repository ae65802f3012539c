import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json above this file: the same for the sources and for what is built from them. */
export function findProjectRoot(start = dirname(fileURLToPath(import.meta.url))): string {
  if (existsSync(join(start, 'package.json'))) return start;
  const parent = dirname(start);
  if (parent === start) throw new Error('The controller was moved away from its package.json: run it from where it was built.');
  return findProjectRoot(parent);
}
