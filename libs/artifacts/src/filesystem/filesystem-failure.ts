import { ArtifactError, storageFullError } from '../artifact.error.js';

/** The system's name for a failed call, such as ENOENT. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** What the file system said, as an ArtifactError that says what to do. Other errors pass unchanged. */
export function toArtifactError(error: unknown, name: string, root: string): unknown {
  const errno = errnoOf(error);
  if (error instanceof ArtifactError || errno === undefined) return error;
  const detail = (error as Error).message;
  switch (errno) {
    case 'ENOENT':
      return new ArtifactError('NotFound', `${name} is not in ${root} (${detail}).`, { cause: error });
    case 'ENOSPC':
    case 'EDQUOT':
      return storageFullError(root, error);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new ArtifactError('AccessDenied', `${root} refuses ${name}: ${detail}. Give this user write access there, or choose another artifact root.`, { cause: error });
    default:
      return new ArtifactError('StorageFailed', `${name} failed in ${root}: ${detail}.`, { cause: error });
  }
}
