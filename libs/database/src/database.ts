import { Batch } from './batch.js';
import { createClient } from './client.js';
import { recordEvents } from './event.repository.js';
import type { Database } from './ports.js';
import { recall } from './recall.js';
import { createReportRepository } from './report.repository.js';
import { watchNotices } from './report.watch.js';
import { createRepositories } from './repositories.js';
import { observe } from './resource.history.js';
import { watchResources } from './resource.watch.js';
import type { NewEvent, ObservedResource } from './rows.js';

/** Opens the database at `url`, which applyMigrations has brought up to date. Connects with the first query; close() when done. */
export function createDatabase(url: string): Database {
  const client = createClient(url);
  const repositories = createRepositories(client);
  // The history that a controller writes with every step of every resource.
  const observations = new Batch<ObservedResource>((resources) => observe(client, resources));
  const events = new Batch<NewEvent>((all) => recordEvents(client, all));
  return {
    ...repositories,
    resources: { ...repositories.resources, observe: (resource) => observations.add(resource), watch: (filter) => watchResources(client, url, filter) },
    events: { ...repositories.events, record: (event) => events.add(event) },
    reports: { ...createReportRepository(client), watch: (onNotice, signal) => watchNotices(url, onNotice, signal) },
    recall: (runUid, keys, samples) => recall(client, runUid, keys, samples),
    transaction: (fn) => client.$transaction((tx) => fn(createRepositories(tx))),
    ping: async () => void (await client.$queryRaw`SELECT 1`),
    close: () => client.$disconnect(),
  };
}
