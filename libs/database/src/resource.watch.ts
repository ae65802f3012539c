import { once } from 'node:events';
import { Client as Listener } from 'pg';

import type { PrismaClient } from './generated/client.js';
import { CONNECT_TIMEOUT_MS } from './reachable.js';
import { RESOURCE_CHANNEL, toRow } from './resource.repository.js';
import type { ResourceChange, ResourceRow } from './rows.js';

export interface WatchFilter {
  kind?: string;
  namespace?: string;
  signal: AbortSignal;
}

// Notifications say when to look; should they stay away (a lost connection, a pooler that swallows them), this finds changes all the same.
const POLL_INTERVAL_MS = 2_000;
// A restart of Postgres is waited for, about a minute of it.
const MAX_FAILURES = 30;

/** See Database.resources.watch. What is seen by version cannot be missed; a notification only makes it soon. */
export async function* watchResources(client: PrismaClient, url: string, { signal, ...filter }: WatchFilter): AsyncGenerator<ResourceChange> {
  const known = new Map<string, ResourceRow>();
  let seen = 0n;
  let failures = 0;
  const bell = new Bell();
  const listener = new NotificationListener(url, bell);
  const ring = () => bell.ring();
  signal.addEventListener('abort', ring);
  try {
    while (!signal.aborted) {
      await listener.ensureListening();
      const changes = await readChanges(client, filter, seen).catch((error: unknown) => {
        if (++failures > MAX_FAILURES) throw error;
      });
      if (changes) {
        failures = 0;
        seen = changes.version;
        yield* changesOf(changes, known);
      }
      if (!signal.aborted) await bell.wait(POLL_INTERVAL_MS);
    }
  } finally {
    signal.removeEventListener('abort', ring);
    await listener.close();
  }
}

interface Changes {
  rows: ResourceRow[];
  deletedUids: string[];
  version: bigint;
}

/** What was written after version `seen`, as one moment saw it. */
async function readChanges(client: PrismaClient, filter: { kind?: string; namespace?: string }, seen: bigint): Promise<Changes> {
  const where = { ...filter, resourceVersion: { gt: seen } };
  const [resources, deleted] = await client.$transaction(
    [
      client.resource.findMany({ where, orderBy: { resourceVersion: 'asc' } }),
      // At the very start nothing is known that could have been deleted, but the versions count.
      client.resourceHistory.findMany({ where: { ...where, change: 'Deleted' }, orderBy: { resourceVersion: seen === 0n ? 'desc' : 'asc' }, ...(seen === 0n && { take: 1 }) }),
    ],
    { isolationLevel: 'RepeatableRead' },
  );
  const versions = [seen, resources.at(-1)?.resourceVersion ?? 0n, ...deleted.map(({ resourceVersion }) => resourceVersion ?? 0n)];
  const version = versions.reduce((highest, each) => (each > highest ? each : highest));
  return { rows: resources.map((row) => toRow(row)), deletedUids: deleted.map(({ uid }) => uid), version };
}

/** Deletions first: a resource made anew under an old name has to be told after the old one's end. */
function* changesOf({ rows, deletedUids }: Changes, known: Map<string, ResourceRow>): Generator<ResourceChange> {
  for (const uid of deletedUids) {
    const resource = known.get(uid);
    known.delete(uid);
    if (resource) yield { type: 'Deleted', resource };
  }
  for (const resource of rows) {
    const type = known.has(resource.uid) ? 'Modified' : 'Added';
    known.set(resource.uid, resource);
    yield { type, resource };
  }
}

/** Something to wait for that remembers having been rung. */
class Bell {
  #rung = false;
  readonly #target = new EventTarget();

  ring(): void {
    this.#rung = true;
    this.#target.dispatchEvent(new Event('ring'));
  }

  async wait(timeoutMs: number): Promise<void> {
    if (!this.#rung) await once(this.#target, 'ring', { signal: AbortSignal.timeout(timeoutMs) }).catch(() => {});
    this.#rung = false;
  }
}

class NotificationListener {
  #connection: Listener | undefined;

  constructor(
    private readonly url: string,
    private readonly bell: Bell,
  ) {}

  /** Connects if need be; without a connection the watch goes on by polling and tries again each time. */
  async ensureListening(): Promise<void> {
    if (this.#connection) return;
    const connection = new Listener({ connectionString: this.url, keepAlive: true, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
    const lose = () => {
      if (this.#connection === connection) this.#connection = undefined;
    };
    connection.on('error', lose).on('end', lose).on('notification', () => this.bell.ring());
    try {
      await connection.connect();
      await connection.query(`LISTEN ${RESOURCE_CHANNEL}`);
      this.#connection = connection;
    } catch {
      await connection.end().catch(() => {});
    }
  }

  async close(): Promise<void> {
    await this.#connection?.end().catch(() => {});
  }
}
