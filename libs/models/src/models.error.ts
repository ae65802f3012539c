/** Training left the range in which it can recover; the last good checkpoint is kept. */
export class DivergedError extends Error {
  readonly code = 'TRAINING_DIVERGED';
  readonly retryable = false;
  override name = 'DivergedError';

  constructor(
    readonly step: number,
    readonly loss: string,
    readonly value: number,
    /** The step of the last checkpoint, if there is one. */
    readonly keptStep?: number,
  ) {
    const kept = keptStep === undefined ? 'No checkpoint had been made yet' : `The last good checkpoint, of step ${keptStep}, was kept`;
    super(`${loss} became ${value} at step ${step}: training diverged; lower the learning rate or raise the batch size. ${kept}.`);
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
