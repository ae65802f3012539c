import { execFile } from 'node:child_process';
import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The image of the process that holds a pod's namespaces, as an archive beside its binary. */
export async function pauseImage(binaries) {
  const archive = `${binaries.pause}.tar`;
  if (await stat(archive).then(() => true, () => false)) return archive;
  const storage = await mkdtemp(path.join(os.tmpdir(), 'caricature-pause-'));
  const buildah = async (...args) => (await run('buildah', ['--root', path.join(storage, 'root'), '--runroot', path.join(storage, 'run'), '--storage-driver', 'vfs', ...args])).stdout.trim();
  try {
    const container = await buildah('from', 'scratch');
    await buildah('copy', container, binaries.pause, '/pause');
    await buildah('config', '--entrypoint', '["/pause"]', '--user', '65535:65535', container);
    await buildah('commit', '--quiet', container, `docker-archive:${archive}.partial:localhost/pause:1`);
    await rename(`${archive}.partial`, archive);
  } finally {
    await rm(storage, { recursive: true, force: true });
  }
  return archive;
}
