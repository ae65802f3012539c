export type PhotoErrorCode = 'NotAnImage' | 'TooLarge' | 'NoFace' | 'SeveralFaces';

/** A photo that cannot be used as it is; the same bytes give the same error, so trying again does not help. */
export class PhotoError extends Error {
  override readonly name = 'PhotoError';
  readonly retryable = false;

  constructor(
    readonly code: PhotoErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
