import { createClient } from './client.js';
import type { Database } from './ports.js';
import { recall } from './recall.js';
import { createReportRepository } from './report.repository.js';
import { watchNotices } from './report.watch.js';
import { createRepositories } from './repositories.js';
import { watchResources } from './resource.watch.js';

/** Opens the database at `url`, which applyMigrations has brought up to date. Connects with the first query; close() when done. */
export function createDatabase(url: string): Database {
  const client = createClient(url);
  const repositories = createRepositories(client);
  return {
    ...repositories,
    resources: { ...repositories.resources, watch: (filter) => watchResources(client, url, filter) },
    reports: { ...createReportRepository(client), watch: (onNotice, signal) => watchNotices(url, onNotice, signal) },
    recall: (runUid, keys, samples) => recall(client, runUid, keys, samples),
    transaction: (fn) => client.$transaction((tx) => fn(createRepositories(tx))),
    ping: async () => void (await client.$queryRaw`SELECT 1`),
    close: () => client.$disconnect(),
  };
}
