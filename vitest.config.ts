import { defineConfig } from 'vitest/config';

const CLUSTER = ['test/cluster/**/*.spec.ts'];
/** Takes minutes, and is there for `make chaos` alone, which says how many runs there are to be. */
const CHAOS = process.env['CHAOS_RUNS'] ? [{ extends: true as const, test: { name: 'chaos', include: ['test/cluster/chaos/*.chaos.ts'] } }] : [];
/** Specs whose tools this machine lacks, told by scripts/test/test.mjs: vitest's own --exclude does not reach into projects. */
const leftOut = JSON.parse(process.env['CARICATURE_SPECS_LEFT_OUT'] ?? '[]') as string[];

export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: 'specs', include: ['libs/**/*.spec.ts', 'apps/**/*.spec.ts', 'test/**/*.spec.ts'], exclude: [...CLUSTER, ...leftOut], maxWorkers: 2, sequence: { groupOrder: 0 } } },
      // A cluster takes the machine for itself: its specs come last, one after the other.
      { extends: true, test: { name: 'cluster', include: CLUSTER, exclude: leftOut, maxWorkers: 1, sequence: { groupOrder: 1 } } },
      ...CHAOS,
    ],
  },
});
