/** A .npy file that this library does not read. */
export class NpyFormatError extends Error {
  readonly code = 'NPY_FORMAT';
  readonly retryable = false;
  override name = 'NpyFormatError';
}

/** A folder that is not a whole data set, or an image that does not belong into one. */
export class DatasetError extends Error {
  readonly code = 'DATASET_INVALID';
  readonly retryable = false;
  override name = 'DatasetError';
}
