import { tmpdir } from 'node:os';
import { ArtifactError, storageFullError, type ArtifactErrorCode } from '../artifact.error.js';

interface ServiceFailure {
  name?: string;
  code?: string;
  message?: string;
  $metadata?: { httpStatusCode?: number };
}

const FULL = new Set(['InsufficientStorage', 'QuotaExceeded', 'XMinioStorageFull', 'EntityTooLargeForQuota', 'QuotaExceededException']);
const DENIED = new Set(['AccessDenied', 'InvalidAccessKeyId', 'SignatureDoesNotMatch', 'CredentialsProviderError', 'ExpiredToken']);
const UNREACHABLE = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EPIPE', 'TimeoutError']);

/** The service's name for its error, or the network's. */
export function failureName(error: unknown): string {
  const { name, code } = (error ?? {}) as ServiceFailure;
  return name && name !== 'Error' ? name : (code ?? 'Error');
}

export function httpStatus(error: unknown): number | undefined {
  return (error as ServiceFailure | undefined)?.$metadata?.httpStatusCode;
}

/** Whether a conditional write was refused because the object is there. */
export function isTaken(error: unknown): boolean {
  return httpStatus(error) === 412 || failureName(error) === 'PreconditionFailed';
}

/** Whether two conditional writes met, and S3 asks to try again. */
export function isConflict(error: unknown): boolean {
  return failureName(error) === 'ConditionalRequestConflict' || (httpStatus(error) === 409 && failureName(error) !== 'BucketAlreadyExists');
}

export function isMissing(error: unknown): boolean {
  return failureName(error) === 'NoSuchKey' || (httpStatus(error) === 404 && failureName(error) !== 'NoSuchBucket');
}

/** What S3 or the network said, as an ArtifactError that says what to do. */
export function toArtifactError(error: unknown, name: string, uri: string): unknown {
  if (error instanceof ArtifactError) return error;
  const what = failureName(error);
  const network = (error as ServiceFailure | undefined)?.code ?? what;
  const detail = `${what}: ${(error as ServiceFailure | undefined)?.message ?? 'no message'}`;
  const failure = (code: ArtifactErrorCode, message: string) => new ArtifactError(code, message, { cause: error });
  if (network === 'ENOSPC') return storageFullError(`${tmpdir()} of this machine`, error);
  if (FULL.has(what) || httpStatus(error) === 507 || /no space left|disk full|quota/i.test(detail)) return storageFullError(uri, error);
  if (what === 'NoSuchBucket') return failure('BucketMissing', `The bucket of ${uri} does not exist. Create it, or correct the artifact root.`);
  if (DENIED.has(what) || httpStatus(error) === 403) {
    return failure('AccessDenied', `${uri} refuses ${name} (${detail}). Check the credentials and the bucket's policy.`);
  }
  if (UNREACHABLE.has(network) || UNREACHABLE.has(what)) {
    return failure('StoreUnreachable', `${uri} cannot be reached (${detail}). Check the endpoint and that the service runs.`);
  }
  if (isMissing(error)) return failure('NotFound', `${name} is not in ${uri}.`);
  return failure('StorageFailed', `${name} failed in ${uri} (${detail}).`);
}
