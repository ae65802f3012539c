import { setTimeout as sleep } from 'node:timers/promises';
import { Client as Listener } from 'pg';

import { CONNECT_TIMEOUT_MS } from './reachable.js';
import type { JsonObject } from './rows.js';
import { REPORT_CHANNEL } from './stage-report.repository.js';

const RETRY_MS = 1_000;

/** See Database.reports.watch. Connects again whenever the connection is lost. */
export async function watchNotices(url: string, onNotice: (notice: JsonObject) => void, signal: AbortSignal): Promise<void> {
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  while (!signal.aborted) {
    await listen(url, onNotice, stopped).catch(() => undefined);
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function listen(url: string, onNotice: (notice: JsonObject) => void, stopped: Promise<void>): Promise<void> {
  const connection = new Listener({ connectionString: url, keepAlive: true, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  const lost = Promise.withResolvers<void>();
  connection.on('error', () => lost.resolve()).on('end', () => lost.resolve());
  connection.on('notification', ({ payload }) => onNotice(JSON.parse(payload ?? '{}') as JsonObject));
  try {
    await connection.connect();
    await connection.query(`LISTEN ${REPORT_CHANNEL}`);
    await Promise.race([lost.promise, stopped]);
  } finally {
    await connection.end().catch(() => undefined);
  }
}
