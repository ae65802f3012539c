export { ProcessDriver, type ProcessDriverOptions } from './processes/process-driver.js';
export { PostgresResourceStore, toResource } from './resources/postgres-resource-store.js';
export { folderFingerprint } from './resources/folder-fingerprint.js';
export { startEmbeddedPostgres } from './postgres/embedded-postgres.js';
export { startScratchPostgres, DatabaseInUseError, DatabaseStartError } from './postgres/index.js';
