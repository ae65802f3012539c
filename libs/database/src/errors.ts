import type { ResourceRef } from './rows.js';

const nameOf = (ref: ResourceRef): string => `${ref.kind} ${ref.namespace}/${ref.name}`;

/** Somebody else wrote the resource since it was read: read it again and repeat the change. */
export class ConflictError extends Error {
  readonly code = 'CONFLICT';
  readonly retryable = true;
  constructor(ref: ResourceRef, expected: string, actual: string) {
    super(`${nameOf(ref)} was changed meanwhile (you have version ${expected}, it is at ${actual}): read it again and repeat the change`);
    this.name = 'ConflictError';
  }
}

/** What was asked for is not in the database. */
export class NotFoundError extends Error {
  readonly code = 'NOT_FOUND';
  readonly retryable = false;
  constructor(what: string) {
    super(`${what} does not exist: check its name with "caricature get"`);
    this.name = 'NotFoundError';
  }
  static of(ref: ResourceRef): NotFoundError {
    return new NotFoundError(nameOf(ref));
  }
}

/** A resource of that kind, namespace and name is there already. */
export class AlreadyExistsError extends Error {
  readonly code = 'ALREADY_EXISTS';
  readonly retryable = false;
  constructor(ref: ResourceRef) {
    super(`${nameOf(ref)} already exists: choose another name, or delete it first`);
    this.name = 'AlreadyExistsError';
  }
}

/** A migration that this database has applied was edited, or is gone from the program. */
export class MigrationChangedError extends Error {
  readonly code = 'MIGRATION_CHANGED';
  readonly retryable = false;
  constructor(migration: string, what: string) {
    super(`migration ${migration} ${what}: applied migrations are never edited or removed; restore it and put the change into a new migration`);
    this.name = 'MigrationChangedError';
  }
}

/** A migration's SQL failed; nothing of it was kept. */
export class MigrationFailedError extends Error {
  readonly code = 'MIGRATION_FAILED';
  readonly retryable = false;
  constructor(migration: string, cause: Error) {
    super(`migration ${migration} failed and was rolled back: ${cause.message}`, { cause });
    this.name = 'MigrationFailedError';
  }
}
