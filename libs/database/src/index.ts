export { createDatabase } from './database.js';
export { AlreadyExistsError, ConflictError, MigrationChangedError, MigrationFailedError, NotFoundError } from './errors.js';
export { applyMigrations, type MigrationOptions } from './migrate.js';
export { isUnreachable, untilReachable } from './reachable.js';
export type * from './ports.js';
export type * from './rows.js';
