/** Training left the range in which it can recover; the last good checkpoint is kept. */
export class DivergedError extends Error {
  readonly code = 'TRAINING_DIVERGED';
  readonly retryable = false;
  override name = 'DivergedError';

  constructor(
    readonly step: number,
    readonly loss: string,
    readonly value: number,
  ) {
    super(`${loss} became ${value} at step ${step}: training diverged; lower the learning rate or raise the batch size. The last good checkpoint was kept.`);
  }
}

/** A checkpoint that cannot be continued from: damaged, or of another configuration. */
export class CheckpointError extends Error {
  readonly code = 'CHECKPOINT_INVALID';
  readonly retryable = false;
  override name = 'CheckpointError';
}

/** A model folder or an input that does not fit. */
export class ModelError extends Error {
  readonly code = 'MODEL_INVALID';
  readonly retryable = false;
  override name = 'ModelError';
}
