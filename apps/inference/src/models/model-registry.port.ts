/** The version that an alias points at, and the local folder with its files. */
export interface ResolvedModel {
  version: string;
  folder: string;
}

/** Knows which version of a model is meant by an alias. */
export interface ModelRegistry {
  /**
   * Throws InferenceError `ModelNotFound` when there is no such model or alias, `ModelUnavailable` when that cannot be
   * found out now or the files cannot be had.
   */
  resolve(name: string, alias: string): Promise<ResolvedModel>;
}
