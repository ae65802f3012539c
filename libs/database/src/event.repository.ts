import { createHash } from 'node:crypto';

import type { Client } from './client.js';
import { toJsonText } from './json.js';
import type { EventRepository } from './ports.js';
import type { EventRow, NewEvent } from './rows.js';

export function createEventRepository(client: Client): EventRepository {
  return {
    record: (event) => recordEvents(client, [event]),
    list: async (resourceUid, limit = 100) => {
      const rows = await client.event.findMany({ where: { resourceUid }, orderBy: [{ lastAt: 'desc' }, { firstAt: 'desc' }], take: limit });
      return rows.map(({ fingerprint: _, ...row }) => row as EventRow);
    },
  };
}

/** Equal ones are counted, in the database and among themselves. */
export async function recordEvents(client: Client, events: NewEvent[]): Promise<void> {
  const rows = events.map(({ at = new Date(), ...event }) => ({ ...event, at, fingerprint: fingerprintOf(event) }));
  await client.$executeRaw`
    INSERT INTO event (fingerprint, resource_uid, type, reason, message, count, first_at, last_at)
    SELECT fingerprint, "resourceUid", type, reason, message, count(*), min(at), max(at)
    FROM jsonb_to_recordset(${toJsonText(rows)}::jsonb) AS given (fingerprint text, "resourceUid" uuid, type text, reason text, message text, at timestamptz)
    GROUP BY fingerprint, "resourceUid", type, reason, message
    ON CONFLICT (fingerprint) DO UPDATE SET count = event.count + excluded.count,
      first_at = least(event.first_at, excluded.first_at), last_at = greatest(event.last_at, excluded.last_at)`;
}

function fingerprintOf({ resourceUid, type, reason, message }: NewEvent): string {
  return createHash('sha256').update(JSON.stringify([resourceUid, type, reason, message])).digest('hex');
}
