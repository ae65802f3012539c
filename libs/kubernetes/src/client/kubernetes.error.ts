/** What the API server says of a request in one word (`status.reason`), and what happens before it can say anything. */
export type KubernetesErrorCode =
  | 'AlreadyExists' | 'BadRequest' | 'Conflict' | 'Deposed' | 'Expired' | 'Forbidden' | 'InternalError' | 'Invalid' | 'NotFound' | 'ServiceUnavailable'
  | 'Timeout' | 'TooManyRequests' | 'Unauthorized' | 'Unreachable' | 'UnsupportedMediaType';

export interface FailureDetails {
  kind?: string;
  name?: string;
  causes?: { reason?: string; field?: string; message?: string }[];
}

const RETRYABLE = new Set<string>(['Conflict', 'Expired', 'InternalError', 'ServiceUnavailable', 'Timeout', 'TooManyRequests', 'Unreachable']);

const MENDS: Partial<Record<KubernetesErrorCode, string>> = {
  Forbidden: "grant the controller's ServiceAccount this right (the chart's Role lists them all)",
  Unauthorized: 'the credentials are not accepted: renew the kubeconfig, or the ServiceAccount of the pod',
};

/** A request that the API server refused, or that did not reach it. */
export class KubernetesError extends Error {
  readonly retryable: boolean;

  constructor(
    readonly code: KubernetesErrorCode,
    message: string,
    /** The HTTP status; 0 when there was no answer. */
    readonly status: number,
    readonly details: FailureDetails = {},
    options?: ErrorOptions,
  ) {
    super(MENDS[code] ? `${message}: ${MENDS[code]}` : message, options);
    this.name = 'KubernetesError';
    this.retryable = RETRYABLE.has(code);
  }
}

const CODES: Record<number, KubernetesErrorCode> = {
  400: 'BadRequest', 401: 'Unauthorized', 403: 'Forbidden', 404: 'NotFound', 409: 'Conflict', 410: 'Expired', 415: 'UnsupportedMediaType', 422: 'Invalid',
  429: 'TooManyRequests', 503: 'ServiceUnavailable', 504: 'Timeout',
};

/** The error for an answer that is no success. `body` is a Status object, or whatever a proxy in between said. */
export function errorOfStatus(status: number, body: unknown, request: string): KubernetesError {
  const { reason, message, details } = (typeof body === 'object' && body !== null ? body : {}) as { reason?: string; message?: string; details?: FailureDetails };
  const code = reason === 'AlreadyExists' ? 'AlreadyExists' : (CODES[status] ?? 'InternalError');
  return new KubernetesError(code, message ? `${request}: ${message}` : `${request}: the API server answered ${status}`, status, details ?? {});
}

export function isKubernetesError(error: unknown, ...codes: KubernetesErrorCode[]): error is KubernetesError {
  return error instanceof KubernetesError && (codes.length === 0 || codes.includes(error.code));
}
