/** The stable codes of what can go wrong with a request, beside PhotoError's, and the HTTP status each has. */
export const INFERENCE_STATUS = {
  InvalidRequest: 400,
  Unauthorized: 401,
  ModelNotFound: 404,
  NotAcceptable: 406,
  UnsupportedMediaType: 415,
  ModelUnavailable: 503,
  QueueFull: 503,
} as const;

export type InferenceErrorCode = keyof typeof INFERENCE_STATUS;

/** A request that cannot be answered; retryable where the same request may succeed later. */
export class InferenceError extends Error {
  override readonly name = 'InferenceError';
  readonly retryable: boolean;

  constructor(
    readonly code: InferenceErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.retryable = INFERENCE_STATUS[code] === 503;
  }
}
