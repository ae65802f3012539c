import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What a machine must have of its own to set the project up, and the Debian package that supplies it. */
const PREREQUISITES = [
  { name: 'npm', package: 'npm', isThere: async () => process.env.npm_execpath !== undefined || (await findOnPath('npm')) !== undefined },
  { name: 'python3', package: 'python3', isThere: async () => (await findPython()) !== undefined },
  { name: 'pip for python3', package: 'python3-pip', isThere: hasPip },
  { name: 'a C++ compiler (g++)', package: 'g++', isThere: async () => (await findOnPath(process.env.CXX || 'g++')) !== undefined },
];

/**
 * What of the prerequisites this machine lacks.
 * @returns {Promise<{name: string, package: string}[]>}
 */
export async function findMissingPrerequisites() {
  const there = await Promise.all(PREREQUISITES.map((p) => p.isThere()));
  return PREREQUISITES.filter((_, i) => !there[i]).map(({ name, package: debian }) => ({ name, package: debian }));
}

export function listPrerequisites() {
  return PREREQUISITES;
}

/** One sentence that says what to install. */
export function describeMissing(missing) {
  return `this machine lacks ${missing.map((m) => m.name).join(', ')}. On Debian: apt-get install ${[...new Set(missing.map((m) => m.package))].join(' ')}`;
}

/** @throws {Error} on a machine that none of the prebuilt parts is made for. */
export function requirePlatform(platform = process.platform, arch = process.arch) {
  if (platform !== 'linux' || arch !== 'x64') throw new Error(`Linux on x86-64 is needed; this is ${platform} on ${arch}. In a container or a virtual machine of that kind it runs.`);
}

/** The file that a command's name stands for on PATH, or undefined. */
export async function findOnPath(command) {
  const places = command.includes('/') ? [command] : (process.env.PATH ?? '').split(path.delimiter).map((folder) => path.join(folder, command));
  for (const place of places) {
    if (await access(place, constants.X_OK).then(() => true, () => false)) return place;
  }
  return undefined;
}

function findPython() {
  return findOnPath(process.env.CARICATURE_PYTHON || 'python3');
}

async function hasPip() {
  const python = await findPython();
  return python !== undefined && run(python, ['-m', 'pip', '--version']).then(() => true, () => false);
}
