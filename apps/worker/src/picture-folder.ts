import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { downloadFolder } from '@caricature/artifacts';
import { createProgress } from './progress.js';
import { ImpossibleError } from './stage.error.js';
import type { StageContext } from './stage.js';

/**
 * The local folder behind a field of the resource that names pictures; undefined for other addresses than file:// and s3://. What is in S3
 * is brought here first; an attempt finds what an earlier one on this machine has fetched.
 * @throws ImpossibleError naming the field when trying again cannot help
 */
export async function pictureFolder(field: string, uri: string, { scratchDir, signal, report, log }: Pick<StageContext, 'scratchDir' | 'signal' | 'report' | 'log'>): Promise<string | undefined> {
  if (uri.startsWith('file:///')) return fileURLToPath(uri);
  if (!uri.startsWith('s3://')) return undefined;
  const dir = join(scratchDir, 'fetched');
  log(`fetching ${uri}`);
  await downloadFolder(uri, dir, { signal, onProgress: createProgress(report) }).catch((error: Error & { retryable?: boolean }) => {
    throw error.retryable === false ? new ImpossibleError(`${field}: ${error.message}`) : error;
  });
  return dir;
}

/** Passes an error on by the address that the user has given, where what it names was fetched from there. */
export function namingAddress(uri: string, folder: string): (error: Error) => never {
  return (error) => {
    if (uri.startsWith('s3://')) error.message = error.message.replaceAll(folder, uri);
    throw error;
  };
}
