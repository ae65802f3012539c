// A local base for the images: Debian 12 with Node 24, like the official `node:24-bookworm-slim`, made without a registry of images.
import { chmod, copyFile, cp, mkdir, mkdtemp, readFile, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { runStep } from '../setup/child.mjs';
import { findOnPath } from '../setup/prerequisites.mjs';
import { node24Path } from '../setup/node24.mjs';

export const BASE = 'localhost/node-base';
export const BUILD_BASE = 'localhost/node-build-base';

const SUITE = 'bookworm';
/** As Debian's slim images: what nobody reads in a container. Licences stay. */
const NOT_NEEDED = ['usr/share/man', 'usr/share/info', 'usr/share/locale', 'usr/share/lintian', 'var/cache/apt', 'var/cache/debconf', 'var/cache/ldconfig', 'var/lib/apt/lists', 'var/log'];
const SOURCES = 'etc/apt/sources.list';
/** Of no use without root, which nobody is there. */
const FOR_ROOT = /\/(su|mount|umount|passwd|chsh|chfn|newgrp|gpasswd|chage|expiry|unix_chkpwd)$/;

/**
 * Makes both bases unless they are there: one with Node alone, and one with npm too, to build on.
 * @param {{root: string, tag: string, buildah: (args: string[], options?: object) => Promise<string>, log: (line: string) => void}} options
 */
export async function bringBases({ root, tag, buildah, log }) {
  const there = (name) => buildah(['inspect', '--type', 'image', `${name}:${tag}`]).then(() => true, () => false);
  if ((await there(BASE)) && (await there(BUILD_BASE))) return;
  log('making the base of the images: Debian 12 with Node 24 (about a minute, once)');
  const folder = await mkdtemp(path.join(os.tmpdir(), 'caricature-base-'));
  try {
    await runStep('debootstrap', ['--variant=minbase', SUITE, path.join(folder, 'system'), ...(await findMirror())], {});
    const system = path.join(folder, 'system');
    await slim(system);
    const sources = await readFile(path.join(system, SOURCES), 'utf8');
    await settle(system);
    await mkdir(path.join(folder, 'node/bin'), { recursive: true });
    await copyFile(node24Path(root), path.join(folder, 'node/bin/node'));
    await chmod(path.join(folder, 'node/bin/node'), 0o755);
    await copyNpm(path.join(folder, 'build/usr/local'));
    await write(path.join(folder, 'build', SOURCES), sources);
    await commit(buildah, 'scratch', [[system, '/'], [path.join(folder, 'node'), '/usr/local']], `${BASE}:${tag}`);
    await commit(buildah, `${BASE}:${tag}`, [[path.join(folder, 'build'), '/']], `${BUILD_BASE}:${tag}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function commit(buildah, from, layers, name) {
  const container = await buildah(['from', '--pull-never', from]);
  try {
    for (const [source, target] of layers) await buildah(['add', '--quiet', container, source, target]);
    await buildah(['config', '--env', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', '--cmd', 'node', container]);
    await buildah(['commit', '--quiet', '--timestamp', '0', container, name]);
  } finally {
    await buildah(['rm', container]);
  }
}

/** Where this machine has its packages from; without an answer debootstrap asks Debian itself. */
async function findMirror() {
  const folder = '/etc/apt/sources.list.d';
  const files = ['/etc/apt/sources.list', ...(await readdir(folder).catch(() => [])).filter((name) => /\.(list|sources)$/.test(name)).map((name) => path.join(folder, name))];
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '');
    const found = /^(?:deb (?:\[[^\]]*\] )?|URIs: )(https?:\/\/\S*debian\/?)(?:\s|$)/m.exec(text);
    if (found) return [found[1]];
  }
  return [];
}

async function slim(system) {
  for (const place of NOT_NEEDED) await empty(path.join(system, place));
  const docs = path.join(system, 'usr/share/doc');
  for (const entry of await readdir(docs, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && entry.name !== 'copyright') await rm(path.join(entry.parentPath, entry.name));
  }
  for (const place of ['usr/bin', 'usr/sbin']) {
    for (const name of await readdir(path.join(system, place))) {
      const file = path.join(system, place, name);
      if (FOR_ROOT.test(file)) await chmod(file, 0o755);
    }
  }
}

/** What debootstrap takes from this machine and this day: two bases of the same packages have the same bytes. */
async function settle(system) {
  // Nothing is installed into what runs.
  for (const name of [SOURCES, 'etc/hostname', 'etc/resolv.conf']) await write(path.join(system, name), '');
  for (const name of ['etc/shadow', 'etc/shadow-']) {
    const file = path.join(system, name);
    const text = await readFile(file, 'utf8').catch(() => undefined);
    // The day of the last change of passwords that nobody has.
    if (text !== undefined) await write(file, text.replace(/^([^:]*:[^:]*):\d+:/gm, '$1:1:'));
  }
}

async function write(file, text) {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
}

async function empty(folder) {
  for (const name of await readdir(folder).catch(() => [])) await rm(path.join(folder, name), { recursive: true, force: true });
}

async function copyNpm(to) {
  const script = process.env.npm_execpath?.endsWith('npm-cli.js') ? process.env.npm_execpath : await realpath((await findOnPath('npm')) ?? 'npm');
  const npm = path.dirname(path.dirname(script));
  await cp(npm, path.join(to, 'lib/node_modules/npm'), { recursive: true, verbatimSymlinks: true });
  await mkdir(path.join(to, 'bin'), { recursive: true });
  for (const name of ['npm', 'npx']) await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, path.join(to, 'bin', name));
}
