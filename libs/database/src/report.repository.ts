import { createClient } from './client.js';
import { createRepositories } from './repositories.js';
import type { ReportRepository } from './ports.js';

export function createReportRepository(client: ReturnType<typeof createClient>): ReportRepository {
  return {
    apply: (jobKey, sequence, fn) =>
      client.$transaction(async (tx) => {
        // The row is locked until the end, so the same report arriving twice at once waits and then finds it counted.
        const moved = await tx.$executeRaw`
          INSERT INTO report_cursor (job_key, sequence) VALUES (${jobKey}, ${sequence}::bigint)
          ON CONFLICT (job_key) DO UPDATE SET sequence = excluded.sequence WHERE report_cursor.sequence < excluded.sequence`;
        if (moved > 0) await fn(createRepositories(tx));
        return moved > 0;
      }),
    lastSequence: async (jobKey) => Number((await client.reportCursor.findUnique({ where: { jobKey } }))?.sequence ?? 0),
  };
}
