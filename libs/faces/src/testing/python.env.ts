import { homedir } from 'node:os';
import { join } from 'node:path';

/** The Pythons to try for test photos and references, the preferred one first. */
export function listPythons(): string[] {
  const own = join(homedir(), '.cache/caricature/python/bin/python');
  return [process.env['CARICATURE_PYTHON'], own, 'python3'].filter((python) => python !== undefined && python !== '') as string[];
}
