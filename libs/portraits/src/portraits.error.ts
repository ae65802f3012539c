export type PortraitsErrorCode = 'INVALID_SETTINGS' | 'UNKNOWN_PARAMETER' | 'UNKNOWN_OPTION' | 'MISSING_PARAMETER' | 'UNKNOWN_TEMPLATE' | 'UNKNOWN_STYLE';

/** A portrait that cannot be drawn as asked. Never worth retrying: the request has to change. */
export class PortraitsError extends Error {
  readonly retryable = false;

  constructor(
    readonly code: PortraitsErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'PortraitsError';
  }
}
