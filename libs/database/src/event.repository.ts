import { createHash } from 'node:crypto';

import type { Client } from './client.js';
import type { EventRepository } from './ports.js';
import type { EventRow, NewEvent } from './rows.js';

export function createEventRepository(client: Client): EventRepository {
  return {
    record: (event) => record(client, event),
    list: async (resourceUid, limit = 100) => {
      const rows = await client.event.findMany({ where: { resourceUid }, orderBy: [{ lastAt: 'desc' }, { firstAt: 'desc' }], take: limit });
      return rows.map(({ fingerprint: _, ...row }) => row as EventRow);
    },
  };
}

async function record(client: Client, { resourceUid, type, reason, message, at = new Date() }: NewEvent): Promise<EventRow> {
  const fingerprint = createHash('sha256').update(JSON.stringify([resourceUid, type, reason, message])).digest('hex');
  const rows = await client.$queryRaw<[EventRow]>`
    INSERT INTO event (fingerprint, resource_uid, type, reason, message, count, first_at, last_at)
    VALUES (${fingerprint}, ${resourceUid}::uuid, ${type}, ${reason}, ${message}, 1, ${at}, ${at})
    ON CONFLICT (fingerprint) DO UPDATE SET count = event.count + 1,
      first_at = least(event.first_at, excluded.first_at), last_at = greatest(event.last_at, excluded.last_at)
    RETURNING resource_uid AS "resourceUid", type, reason, message, count, first_at AS "firstAt", last_at AS "lastAt"`;
  return rows[0];
}
