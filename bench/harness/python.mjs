// A Python of the benchmarks' own: pinned packages beside a small `python` that finds them, kept in the cache for every clone.
import { access, chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { runStep } from '../../scripts/setup/child.mjs';
import { findOnPath } from '../../scripts/setup/prerequisites.mjs';
import { cacheFolder } from '../../scripts/test/cache.mjs';

/**
 * @param {string} name of the environment: packages and versions must belong in it
 * @param {string[]} requirements pinned, as pip takes them
 * @param {(line: string) => void} log
 * @returns {Promise<string>} the path of a Python that has the packages
 */
export async function bringPython(name, requirements, log) {
  const target = path.join(cacheFolder(), 'bench', name);
  const wrapper = path.join(target, 'bin/python');
  if (await access(wrapper).then(() => true, () => false)) return wrapper;
  const python = await findOnPath('python3');
  if (!python) throw new Error('python3 is not on PATH: apt-get install python3 python3-pip');
  log(`installing ${requirements.join(' ')} (once, minutes)`);
  const partial = `${target}.partial-${process.pid}`;
  try {
    await mkdir(path.join(partial, 'bin'), { recursive: true });
    await runStep(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', path.join(partial, 'site'), ...requirements], {});
    await writeFile(path.join(partial, 'bin/python'), `#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\nPYTHONPATH="$here/../site" exec "${python}" "$@"\n`);
    await chmod(path.join(partial, 'bin/python'), 0o755);
    await rename(partial, target);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return wrapper;
}
