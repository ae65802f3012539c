import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: { pool: 'forks', testTimeout: 30_000, hookTimeout: 60_000, include: ['libs/**/*.spec.ts', 'apps/**/*.spec.ts', 'test/**/*.spec.ts'], maxWorkers: 2 },
});
