/** Digits that cannot be drawn as asked. Never worth retrying: the request has to change. */
export class DigitsError extends Error {
  readonly retryable = false;

  constructor(
    readonly code: 'INVALID_SETTINGS' | 'MISSING_FONT',
    message: string,
  ) {
    super(message);
    this.name = 'DigitsError';
  }
}
