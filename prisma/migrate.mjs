// Makes a new migration: node prisma/migrate.mjs NAME
// Applies those there are to a scratch database and writes what it then lacks of schema.prisma to migrations/<time>_NAME.
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { diffSchema } from './schema-engine.mjs';

// The libraries' sources name each other as they will be called once compiled.
registerHooks({
  resolve(specifier, context, next) {
    const source = specifier.startsWith('.') && new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    return next(source && existsSync(source) ? source.href : specifier, context);
  },
});

const name = process.argv[2];
if (!/^[a-z][a-z0-9_]*$/.test(name ?? '')) {
  console.error('usage: node prisma/migrate.mjs NAME   (NAME says what changes, in small letters: add_sample_size)');
  process.exit(64);
}

const { applyMigrations } = await import('../libs/database/src/migrate.ts');
const { startScratchPostgres } = await import('../libs/local/src/postgres/scratch-postgres.ts');

const postgres = await startScratchPostgres();
try {
  await applyMigrations({ url: postgres.url });
  const sql = await diffSchema({ url: postgres.url, schemaFile: fileURLToPath(new URL('schema.prisma', import.meta.url)) });
  if (sql === '') console.log('the migrations already give schema.prisma: nothing to write');
  else await write(sql);
} finally {
  await postgres.stop();
}

async function write(sql) {
  const time = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const folder = fileURLToPath(new URL(`migrations/${time}_${name}`, import.meta.url));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'migration.sql'), sql);
  console.log(`wrote ${folder}/migration.sql: read it before committing it`);
}
