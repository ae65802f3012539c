import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '@caricature/database';
import { folderFingerprint, PostgresResourceStore, ProcessDriver } from '@caricature/local';
import type { ControllerEnv } from '../controller.env.js';
import { findProjectRoot } from '../project-root.js';
import { DatabaseCatalog } from './database.catalog.js';
import type { Platform, Term } from './platform.js';
import { createSourceFingerprint } from './source-fingerprint.js';

const RESTART_MS = 1000;

/** One machine: resources in Postgres, stages as child processes. */
export function createLocalPlatform(env: ControllerEnv, database: Database, worker: string[] | undefined, log: (line: string) => void): Platform {
  // The address is known only when the API listens; no worker is started before.
  const environment: Record<string, string> = { ...env.workerEnvironment, CARICATURE_ARTIFACTS_URI: env.artifactsUri, CARICATURE_SCRATCH: join(env.home, 'scratch') };
  const driver = new ProcessDriver({ root: join(env.home, 'jobs'), worker: worker ?? [join(findProjectRoot(), 'dist/apps/worker/src/main.js')], environment });
  const store = new PostgresResourceStore(database);
  return {
    catalog: new DatabaseCatalog(database),
    driver,
    access: {
      authenticate: async (job, token) => {
        const assignment = await driver.authenticate(job, token);
        return assignment && { assignment, id: job };
      },
    },
    progressIntervalMs: 0,
    folderFingerprint: createSourceFingerprint(folderFingerprint),
    operate: (work, signal) => keepOperating((round) => work({ store, driver, signal: round }), log, signal),
    problems: () => [],
    listening: (url) => void (environment['CARICATURE_CONTROLLER_URL'] = url),
    stopWorkers: () => driver.stopAll(),
    hurry: () => driver.hurry(),
    close: () => Promise.resolve(),
  };
}

/** A lost connection or file ends the watches: they are begun again, for as long as the controller lives. */
async function keepOperating(work: (signal: Term['signal']) => Promise<void>, log: (line: string) => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const round = new AbortController();
    try {
      await work(AbortSignal.any([signal, round.signal]));
    } catch (error) {
      log(`watching failed and is begun again: ${error instanceof Error ? error.message : String(error)}`);
    }
    round.abort();
    await sleep(RESTART_MS, undefined, { signal }).catch(() => undefined);
  }
}
