// The images that a cluster of tests needs: the program's own, and the servers that its chart bundles.
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { fingerprint } from '../../scripts/setup/fingerprint.mjs';
import { BUILD_BASE } from '../../scripts/images/base.mjs';
import { buildImages, lendSettings, makeLayout } from '../../scripts/images/images.mjs';
import { installVersitygw, versitygw, VERSITYGW } from '../../scripts/test/versitygw.mjs';
import { loadImages } from './cluster.mjs';

const here = import.meta.dirname;
const SERVERS = ['postgres', 'versitygw'];

/** Builds what is missing of all, and makes it known to this machine's cluster. */
export async function bringImagesToCluster({ log }) {
  for (const layout of [await bringServerImages({ log }), await buildImages({ log })]) await loadImages(layout, log);
}

/** Builds the servers' images unless they are there. @param {{log: (line: string) => void}} options @returns {Promise<string>} folder of an OCI layout */
export async function bringServerImages({ log }) {
  await installVersitygw(log);
  const sources = await fingerprint(here, ['images']);
  const names = SERVERS.map((name) => `docker.io/caricature/${name}:test`);
  return makeLayout({ id: 'servers', sources, names, log, build: ({ buildah }, tag) => buildIn(buildah, tag, names, log) });
}

async function buildIn(buildah, tag, names, log) {
  log(`building the images of the servers that the chart bundles (PostgreSQL, ${VERSITYGW.split('/').at(-1)})`);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'caricature-servers-'));
  const lent = await lendSettings();
  try {
    for (const file of ['Dockerfile', 'postgres.sh']) await copyFile(path.join(here, 'images', file), path.join(folder, file));
    await copyFile(versitygw(), path.join(folder, 'versitygw'));
    for (const [i, target] of SERVERS.entries()) {
      const args = ['--layers', '--isolation', 'chroot', '--timestamp', '0', '--build-arg', `BASE=${BUILD_BASE}:${tag}`, ...lent.volumes];
      await buildah(['bud', ...args, '--target', target, '--tag', names[i], folder], { onLine: () => {} });
    }
  } finally {
    for (const one of [folder, lent.folder]) await rm(one, { recursive: true, force: true });
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await bringImagesToCluster({ log: (line) => console.log(line) });
