/** Something the user can mend: shown as one line, without a stack. */
export class CliError extends Error {
  readonly retryable = false;
  constructor(
    readonly code: 'NoController' | 'ControllerFailed' | 'Refused' | 'BadFile' | 'NotFound' | 'TimedOut' | 'ServiceFailed' | 'BadArgument',
    message: string,
  ) {
    super(message);
    this.name = 'CliError';
  }
}
