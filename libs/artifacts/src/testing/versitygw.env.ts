import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where tests find the S3 server versitygw: below $CARICATURE_CACHE, by default ~/.cache/caricature. */
export function versitygwPath(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['CARICATURE_CACHE'] ?? join(homedir(), '.cache', 'caricature'), 'bin', 'versitygw');
}
