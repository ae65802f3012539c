import type { Client } from './client.js';
import { Prisma } from './generated/client.js';
import type { MetricRepository } from './ports.js';
import type { LatestMetric, MetricBucket, MetricPoint, MetricQuery, MetricSeries } from './rows.js';

const DEFAULT_MAX_POINTS = 500;

export function createMetricRepository(client: Client): MetricRepository {
  return {
    insertMany: (runUid, stage, points) => insertMany(client, runUid, stage, points),
    series: (query) => series(client, query),
    latest: (runUid, stage) => latest(client, runUid, stage),
  };
}

/** The points travel as one JSON text: a statement has room for 65,535 parameters, and four a point would soon use them up. */
async function insertMany(client: Client, runUid: string, stage: string, points: MetricPoint[]): Promise<number> {
  const finite = points.filter(({ value }) => Number.isFinite(value)); // JSON has no others, and no chart can draw them
  if (finite.length === 0) return 0;
  return client.$executeRaw`
    INSERT INTO metric_point (run_uid, stage, name, step, value, at)
    SELECT ${runUid}::uuid, ${stage}, name, step, value, at
    FROM json_to_recordset(${JSON.stringify(finite)}::json) AS point (name text, step int, value float8, at timestamptz)
    ON CONFLICT DO NOTHING`;
}

type SeriesRow = MetricBucket & { stage: string; name: string };

/** Steps are cut into at most maxPoints buckets of one width, so that the series of a run line up. */
async function series(client: Client, query: MetricQuery): Promise<MetricSeries[]> {
  const where = condition(query);
  const rows = await client.$queryRaw<SeriesRow[]>`
    WITH bounds AS (SELECT min(step) AS low, max(step) AS high FROM metric_point WHERE ${where}),
    width AS (SELECT low, greatest(1, ceil((high - low + 1)::float8 / ${query.maxPoints ?? DEFAULT_MAX_POINTS}::int)::int) AS steps FROM bounds)
    SELECT stage, name, max(step) AS step, min(value) AS min, max(value) AS max, avg(value) AS avg,
           (max(ARRAY[step, value]))[2] AS last, count(*)::int AS count, max(at) AS at
    FROM metric_point, width WHERE ${where}
    GROUP BY stage, name, (step - low) / steps
    ORDER BY stage, name, step`;
  return groupSeries(rows);
}

function groupSeries(rows: SeriesRow[]): MetricSeries[] {
  const all: MetricSeries[] = [];
  for (const { stage, name, ...point } of rows) {
    const current = all.at(-1);
    if (current?.stage === stage && current.name === name) current.points.push(point);
    else all.push({ stage, name, points: [point] });
  }
  return all;
}

function condition({ runUid, stage, names, fromStep, toStep }: MetricQuery): Prisma.Sql {
  const parts = [Prisma.sql`run_uid = ${runUid}::uuid`];
  if (stage !== undefined) parts.push(Prisma.sql`stage = ${stage}`);
  if (names !== undefined) parts.push(Prisma.sql`name = ANY(${names}::text[])`);
  if (fromStep !== undefined) parts.push(Prisma.sql`step >= ${fromStep}::int`);
  if (toStep !== undefined) parts.push(Prisma.sql`step <= ${toStep}::int`);
  return Prisma.join(parts, ' AND ');
}

async function latest(client: Client, runUid: string, stage?: string): Promise<LatestMetric[]> {
  const where = condition({ runUid, stage });
  return client.$queryRaw<LatestMetric[]>`
    SELECT DISTINCT ON (stage, name) stage, name, step, value, at FROM metric_point WHERE ${where} ORDER BY stage, name, step DESC`;
}
