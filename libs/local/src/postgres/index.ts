export { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './embedded-postgres.js';
export { DatabaseInUseError, DatabaseStartError } from './postgres.errors.js';
export { startScratchPostgres } from './scratch-postgres.js';
