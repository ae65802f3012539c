import { access, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The Helm that the cluster's tests bring, else the one on PATH. */
export async function helmPath(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const versions = JSON.parse(await readFile(resolve(import.meta.dirname, '../cluster/versions.json'), 'utf8')) as { helm: string };
  const brought = join(env['CARICATURE_CACHE'] ?? join(homedir(), '.cache/caricature'), 'cluster', `helm-${versions.helm}`, 'helm');
  return access(brought).then(() => brought, () => 'helm');
}
