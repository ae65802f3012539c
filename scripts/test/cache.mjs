import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

/** Where the tests' tools are kept for every clone of this user. */
export function cacheFolder() {
  return process.env.CARICATURE_CACHE || path.join(os.homedir(), '.cache/caricature');
}
