import { fileURLToPath } from 'node:url';
import type { ArtifactStore, ByteListener } from './artifact-store.port.js';
import { ArtifactError } from './artifact.error.js';
import { FilesystemArtifactStore } from './filesystem/filesystem-artifact.store.js';
import { checkPrefix } from './object-name.js';
import { S3ArtifactStore, type S3Options } from './s3/s3-artifact.store.js';
import { s3OptionsFromEnvironment } from './s3/s3-options.env.js';

export interface ArtifactStoreOptions {
  /** Over what the environment gives (`s3OptionsFromEnvironment`). */
  s3?: S3Options;
  onBytes?: ByteListener;
}

/**
 * The store of a root URI. Nothing is touched until the first call.
 * @example createArtifactStore('file:///var/lib/caricature/artifacts')
 * @example createArtifactStore('s3://models/team-a', { s3: { endpoint: 'http://minio:9000' } })
 * @throws ArtifactError `InvalidUri`
 */
export function createArtifactStore(uri: string, options: ArtifactStoreOptions = {}): ArtifactStore {
  const invalid = (reason: string) =>
    new ArtifactError('InvalidUri', `${JSON.stringify(uri)} is no artifact root: ${reason}. Use file:///folder or s3://bucket/prefix.`);
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (!url) throw invalid('it is not a URI');
  if (url.protocol === 'file:') {
    if (url.host !== '') throw invalid('a file URI has three slashes and no host');
    return new FilesystemArtifactStore(fileURLToPath(url), options.onBytes);
  }
  if (url.protocol !== 's3:') throw invalid(`${url.protocol}// is not known`);
  if (url.username !== '' || url.search !== '' || url.hash !== '') throw invalid('credentials and queries do not belong in it');
  if (url.host === '') throw invalid('it names no bucket');
  const path = decoded(url.pathname);
  if (path === undefined) throw invalid('a percent sign in it must be written as %25');
  const prefix = checkPrefix(path.replace(/^\/+/, ''));
  return new S3ArtifactStore(url.host, prefix, { ...s3OptionsFromEnvironment(), ...options.s3 }, options.onBytes);
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
