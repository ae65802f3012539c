/** Another process keeps this database folder's PostgreSQL. */
export class DatabaseInUseError extends Error {
  readonly code = 'DATABASE_IN_USE';
  readonly retryable = true;
  constructor(dataDir: string) {
    super(`another controller is using the database in ${dataDir}: stop it first, or choose another folder`);
    this.name = 'DatabaseInUseError';
  }
}

/** The embedded PostgreSQL could not be set up or started. */
export class DatabaseStartError extends Error {
  readonly code = 'DATABASE_START_FAILED';
  readonly retryable = false;
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DatabaseStartError';
  }
}
