export const CONTROLLER_STATUS = { InvalidRequest: 400, Unauthorized: 401, ForbiddenHost: 403, NotFound: 404, BeingDeleted: 409, Superseded: 410, NotReady: 503 } as const;
export type ControllerErrorCode = keyof typeof CONTROLLER_STATUS;

/** A request that the controller refuses; the message says what to do. */
export class ControllerError extends Error {
  readonly retryable: boolean;
  constructor(readonly code: ControllerErrorCode, message: string) {
    super(message);
    this.name = 'ControllerError';
    this.retryable = code === 'NotReady' || code === 'BeingDeleted';
  }
}
