export type CollectionErrorCode = 'NoPhotos' | 'NoPeople' | 'TooFewPeople' | 'LabelsUnreadable' | 'TraitsUnreadable';

/** A folder of photos that cannot be learned from; nothing changes until somebody changes the folder or the run. */
export class CollectionError extends Error {
  override readonly name = 'CollectionError';
  readonly retryable = false;

  constructor(
    readonly code: CollectionErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
