import { defineConfig } from 'prisma/config';

// No datasource: migrations are made and applied by prisma/migrate.mjs and libs/database, never by the CLI's migrate.
export default defineConfig({ schema: 'prisma/schema.prisma', migrations: { path: 'prisma/migrations' } });
