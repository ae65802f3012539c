import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';

/**
 * A SHA-256 over the names and contents of files and folders (in order of their names, so it is the same on every machine).
 * @param {string} root
 * @param {string[]} places relative to `root`; one that does not exist counts as such
 * @param {(file: string) => boolean} counts tells by a relative path whether a file matters
 */
export async function fingerprint(root, places, counts = () => true) {
  const hash = createHash('sha256');
  for (const place of places) {
    for (const file of (await listFiles(root, place)).filter(counts)) {
      hash.update(`${file}\0`).update(createHash('sha256').update(await readFile(path.join(root, file))).digest());
    }
  }
  return hash.digest('hex');
}

async function listFiles(root, place) {
  const found = await stat(path.join(root, place)).catch(() => undefined);
  if (!found) return [];
  if (!found.isDirectory()) return [place];
  const entries = await readdir(path.join(root, place), { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const nested = await Promise.all(entries.map((e) => (e.isDirectory() ? listFiles(root, path.join(place, e.name)) : e.isFile() ? [path.join(place, e.name)] : [])));
  return nested.flat();
}

/** What the step `name` was last finished for, or undefined. */
export function readStamp(root, name) {
  return readFile(path.join(root, '.setup', name), 'utf8').catch(() => undefined);
}

/** Remembers that the step `name` is done for `value`. By a rename: a killed set-up leaves the old stamp or the new one. */
export async function writeStamp(root, name, value) {
  const file = path.join(root, '.setup', name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(`${file}.${process.pid}`, value);
  await rename(`${file}.${process.pid}`, file);
}
