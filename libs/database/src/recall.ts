import type { Client } from './client.js';
import type { Recollection } from './ports.js';
import type { ArtifactRow, SampleRow, StageAttemptRow, StageReportRow } from './rows.js';

/** A row as JSON has it: by the columns' names, with times as text. */
type Columns = Record<string, unknown>;

/** One statement: all of it is of one moment, and it is the statement that a controller sends most. */
export async function recall(client: Client, runUid: string, keys: string[], samples: number): Promise<Recollection> {
  const [found] = await client.$queryRaw<[Record<keyof Recollection, Columns[] | null>]>`
    SELECT
      (SELECT json_agg(a ORDER BY a.id) FROM stage_attempt a WHERE a.run_uid = ${runUid}::uuid) AS attempts,
      (SELECT json_agg(r) FROM stage_report r WHERE r.run_uid = ${runUid}::uuid) AS reports,
      (SELECT json_agg(s ORDER BY s.step) FROM (SELECT * FROM sample WHERE run_uid = ${runUid}::uuid ORDER BY step DESC LIMIT ${samples}) s) AS samples,
      (SELECT json_agg(f) FROM artifact f WHERE f.key = ANY(${keys})) AS artifacts`;
  return {
    attempts: toRows<StageAttemptRow>(found.attempts, ['startedAt', 'completedAt']),
    reports: toRows<StageReportRow>(found.reports, ['updatedAt']),
    samples: toRows<SampleRow>(found.samples, ['createdAt']),
    artifacts: toRows<ArtifactRow>(found.artifacts, ['createdAt']),
  };
}

function toRows<T>(rows: Columns[] | null, times: (keyof T & string)[]): T[] {
  return (rows ?? []).map(({ id: _, ...columns }) => {
    const row = Object.fromEntries(Object.entries(columns).map(([column, value]) => [column.replace(/_(.)/g, (__, letter: string) => letter.toUpperCase()), value]));
    for (const time of times) if (row[time] !== null) row[time] = new Date(row[time] as string);
    return row as T;
  });
}
