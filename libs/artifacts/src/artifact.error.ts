/** What can go wrong in an artifact store. The code is stable; the message says what to do. */
export type ArtifactErrorCode =
  | 'InvalidName'
  | 'InvalidUri'
  | 'NotFound'
  | 'NotARegularFile'
  | 'ArtifactCorrupt'
  | 'StorageFull'
  | 'StorageFailed'
  | 'StoreUnreachable'
  | 'AccessDenied'
  | 'BucketMissing';

/** Codes after which the same call may succeed without a change of what was asked. */
const RETRYABLE: ReadonlySet<ArtifactErrorCode> = new Set(['StorageFull', 'StoreUnreachable', 'StorageFailed']);

/** An artifact store refused or failed; `retryable` tells a worker whether trying again can help. */
export class ArtifactError extends Error {
  readonly retryable: boolean;

  constructor(
    readonly code: ArtifactErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ArtifactError';
    this.retryable = RETRYABLE.has(code);
  }
}

/** Bytes read are not the bytes that were published; `file` is the object's name. */
export class ArtifactCorruptError extends ArtifactError {
  constructor(
    readonly file: string,
    reason: string,
  ) {
    super('ArtifactCorrupt', `${file} is corrupt: ${reason}. Remove its artifact and run the stage again.`);
    this.name = 'ArtifactCorruptError';
  }
}

/** The one error for a full disk, bucket or quota. */
export function storageFullError(where: string, cause: unknown): ArtifactError {
  return new ArtifactError(
    'StorageFull',
    `No space left at ${where}. Free space there (old folders under work/ and unused artifacts go first) or move the artifact root to a larger disk, then run again: what was finished is kept.`,
    { cause },
  );
}
