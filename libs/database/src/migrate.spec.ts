import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { diffSchema } from '../../../prisma/schema-engine.mjs';
import { type EmbeddedPostgres, startScratchPostgres } from '../../local/src/postgres/index.js';
import { MigrationChangedError, MigrationFailedError } from './errors.js';
import { applyMigrations } from './migrate.js';

const root = join(import.meta.dirname, '../../..');
const schemaFile = join(root, 'prisma/schema.prisma');

let postgres: EmbeddedPostgres;
let url: string;
let migrationsDir: string;
let databases = 0;

beforeAll(async () => {
  postgres = await startScratchPostgres();
});
afterAll(() => postgres.stop());

beforeEach(async () => {
  const name = `migrate_${++databases}`;
  await query(postgres.url, `CREATE DATABASE ${name}`);
  url = Object.assign(new URL(postgres.url), { pathname: `/${name}` }).href;
  migrationsDir = await mkdtemp(join(tmpdir(), 'caricature-migrations-'));
  await cp(join(root, 'prisma/migrations'), migrationsDir, { recursive: true });
});
afterEach(() => rm(migrationsDir, { recursive: true, force: true }));

describe('applyMigrations', () => {
  it('applies what is missing and then nothing', async () => {
    const names = await applyMigrations({ url });
    expect(names).toContainEqual(expect.stringMatching(/_init$/));
    expect(await applyMigrations({ url })).toEqual([]);
  });

  it('applies each migration once when two replicas start at the same time', async () => {
    const applied = await Promise.all([applyMigrations({ url }), applyMigrations({ url })]);
    const rows = await query(url, 'SELECT migration_name FROM _prisma_migrations');
    expect(applied.flat()).toHaveLength(rows.length);
    expect(applied.map((names) => names.length).sort()).toEqual([0, rows.length]);
  });

  it('names an applied migration that was edited', async () => {
    const [name] = await applyMigrations({ url, migrationsDir });
    await writeFile(join(migrationsDir, name!, 'migration.sql'), 'SELECT 1;');
    const failure = await applyMigrations({ url, migrationsDir }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(MigrationChangedError);
    expect((failure as Error).message).toContain(name);
  });

  it('names an applied migration that the program no longer has', async () => {
    await addMigration('29990101000000_extra', 'CREATE TABLE extra (id int);');
    await applyMigrations({ url, migrationsDir });
    await expect(applyMigrations({ url })).rejects.toThrow('29990101000000_extra');
  });

  it('keeps nothing of a migration that fails, and all that came before it', async () => {
    await addMigration('29990101000000_broken', 'CREATE TABLE half_done (id int); SELECT * FROM missing;');
    await expect(applyMigrations({ url, migrationsDir })).rejects.toThrow(MigrationFailedError);
    const tables = (await query(url, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")).map((row) => row.table_name);
    expect(tables).toContain('resource');
    expect(tables).not.toContain('half_done');
  });
});

describe('the migrations', () => {
  it('give exactly what schema.prisma says', async () => {
    await applyMigrations({ url });
    expect(await diffSchema({ url, schemaFile })).toBe('');
  });

  it('are seen to differ when they do', async () => {
    await applyMigrations({ url });
    await query(url, 'ALTER TABLE sample DROP COLUMN uri');
    expect(await diffSchema({ url, schemaFile })).toContain('ADD COLUMN     "uri" TEXT NOT NULL');
  });
});

async function addMigration(name: string, sql: string): Promise<void> {
  await mkdir(join(migrationsDir, name));
  await writeFile(join(migrationsDir, name, 'migration.sql'), sql);
}

async function query(connectionString: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
