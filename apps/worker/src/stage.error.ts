/** The exit codes by which a pod driver knows how a stage ended. */
export const EXIT = { succeeded: 0, failed: 1, impossible: 64, interrupted: 75 } as const;

/** The stage was asked to stop; what it had done is in its checkpoint. */
export class InterruptedError extends Error {
  readonly code = 'Interrupted';
  readonly retryable = true;
  constructor() {
    super('stopped at a checkpoint; it goes on from there');
    this.name = 'InterruptedError';
  }
}

/** The resource asks for something that cannot be done: the message names the field and the mend. */
export class ImpossibleError extends Error {
  readonly code = 'InvalidConfiguration';
  readonly retryable = false;
  constructor(message: string) {
    super(message);
    this.name = 'ImpossibleError';
  }
}

/** Passes a failed training on with the resource's field that mends it before its message: the networks know nothing of resources. */
export function namingField(field: string): (error: unknown) => never {
  return (error) => {
    if ((error as { code?: unknown }).code === 'TRAINING_DIVERGED') (error as Error).message = `${field}: ${(error as Error).message}`;
    throw error;
  };
}

/** How to end for an error: one that no repetition mends is `impossible`. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof InterruptedError) return EXIT.interrupted;
  return (error as { retryable?: unknown }).retryable === false ? EXIT.impossible : EXIT.failed;
}
