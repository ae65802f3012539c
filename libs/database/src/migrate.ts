import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Client } from 'pg';

import { MigrationChangedError, MigrationFailedError, NotFoundError } from './errors.js';
import { CONNECT_TIMEOUT_MS } from './reachable.js';

export interface MigrationOptions {
  /** Of the database to bring up to date; the database itself must exist. */
  url: string;
  /** prisma/migrations of this project unless told. */
  migrationsDir?: string;
  log?: (line: string) => void;
}

interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

// Any constant that every replica agrees on.
const LOCK_KEY = 7_226_934_018;

// The table as Prisma's own engine makes it, so that its tools see the history as theirs.
const HISTORY_TABLE = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  "id" VARCHAR(36) PRIMARY KEY NOT NULL, "checksum" VARCHAR(64) NOT NULL, "finished_at" TIMESTAMPTZ,
  "migration_name" VARCHAR(255) NOT NULL, "logs" TEXT, "rolled_back_at" TIMESTAMPTZ,
  "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(), "applied_steps_count" INTEGER NOT NULL DEFAULT 0)`;

/**
 * Applies the migrations that the database lacks, in order of their names, each in its own transaction; gives the names applied now.
 * Under an advisory lock: of several replicas starting at once, one migrates and the others wait.
 * Throws MigrationChangedError for an applied migration that was edited or is missing, MigrationFailedError.
 */
export async function applyMigrations({ url, migrationsDir = findMigrationsDir(), log = () => {} }: MigrationOptions): Promise<string[]> {
  const migrations = await readMigrations(migrationsDir);
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK_KEY]);
    await client.query(HISTORY_TABLE);
    const pending = await findPending(client, migrations);
    for (const migration of pending) {
      log(`applying migration ${migration.name}`);
      await apply(client, migration);
    }
    return pending.map(({ name }) => name);
  } finally {
    await client.end(); // ends the session, and with it the lock
  }
}

async function findPending(client: Client, migrations: Migration[]): Promise<Migration[]> {
  const { rows } = await client.query<{ name: string; checksum: string }>(
    'SELECT migration_name AS name, checksum FROM "_prisma_migrations" WHERE rolled_back_at IS NULL AND finished_at IS NOT NULL ORDER BY migration_name',
  );
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const { name, checksum } of rows) {
    const migration = known.get(name);
    if (!migration) throw new MigrationChangedError(name, 'was applied to this database but is not part of this version of the program');
    if (migration.checksum !== checksum) throw new MigrationChangedError(name, 'was edited after this database applied it');
    known.delete(name);
  }
  return [...known.values()];
}

async function apply(client: Client, { name, sql, checksum }: Migration): Promise<void> {
  try {
    await client.query('BEGIN');
    await client.query(sql);
    await client.query(
      'INSERT INTO "_prisma_migrations" (id, checksum, migration_name, started_at, finished_at, applied_steps_count) VALUES ($1, $2, $3, now(), clock_timestamp(), 1)',
      [randomUUID(), checksum, name],
    );
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {}); // the connection itself may be what failed
    throw new MigrationFailedError(name, error as Error);
  }
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(join(folder, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/** Compiled code lies deeper than its source, so the project's folder is found by going up. */
function findMigrationsDir(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const candidate = join(folder, 'prisma/migrations');
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) throw new NotFoundError('the folder prisma/migrations above the program');
  }
}
