import type { Client } from './client.js';
import { Prisma } from './generated/client.js';
import { toJsonText } from './json.js';
import type { MetricRepository } from './ports.js';
import type { LatestMetric, MetricBucket, MetricPoint, MetricQuery, MetricSeries } from './rows.js';

const DEFAULT_MAX_POINTS = 500;

export function createMetricRepository(client: Client): MetricRepository {
  return {
    insertMany: (runUid, stage, points) => insertMany(client, runUid, stage, points),
    forgetFrom: async (runUid, stage, step) => void (await client.metricPoint.deleteMany({ where: { runUid, stage, step: { gte: step } } })),
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
    FROM json_to_recordset(${toJsonText(finite)}::json) AS point (name text, step int, value float8, at timestamptz)
    ON CONFLICT DO NOTHING`;
}

type SeriesRow = MetricBucket & { stage: string; name: string };

/**
 * Steps are cut into at most maxPoints buckets of one width, so that the series of a run line up. Each series is read by itself,
 * along the primary key: the planner would otherwise sort or hash half a million rows by text.
 */
async function series(client: Client, query: MetricQuery): Promise<MetricSeries[]> {
  const points = Prisma.sql`metric_point WHERE run_uid = ${query.runUid}::uuid AND stage = chosen.stage AND name = chosen.name`;
  const steps = stepsOf(query);
  const rows = await client.$queryRaw<SeriesRow[]>`
    WITH RECURSIVE ${chosenSeries(query)},
    bounds AS (
      SELECT min(each.low) AS low, max(each.high) AS high
      FROM chosen, LATERAL (SELECT min(step) AS low, max(step) AS high FROM ${points} AND ${steps}) each),
    width AS (SELECT low, greatest(1, ceil((high - low + 1)::float8 / ${query.maxPoints ?? DEFAULT_MAX_POINTS}::int)::int) AS steps FROM bounds)
    SELECT chosen.stage, chosen.name, bucket.*, final.value AS last, final.at
    FROM width, chosen,
      LATERAL (
        SELECT max(step) AS step, min(value) AS min, max(value) AS max, avg(value) AS avg, count(*)::int AS count
        FROM ${points} AND ${steps} GROUP BY (step - low) / steps) bucket,
      LATERAL (SELECT value, at FROM ${points} AND step = bucket.step LIMIT 1) final
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

/** The series of a run are few: found by leaping along the primary key from one to the next, not by reading every point. */
function chosenSeries({ runUid, stage, names }: MetricQuery): Prisma.Sql {
  const inStage = stage === undefined ? Prisma.sql`TRUE` : Prisma.sql`stage = ${stage}`;
  const named = names === undefined ? Prisma.sql`TRUE` : Prisma.sql`name = ANY(${names}::text[])`;
  return Prisma.sql`
    known (stage, name) AS (
      (SELECT stage, name FROM metric_point WHERE run_uid = ${runUid}::uuid ORDER BY stage, name LIMIT 1)
      UNION ALL
      SELECT next.stage, next.name FROM known, LATERAL (
        SELECT stage, name FROM metric_point
        WHERE run_uid = ${runUid}::uuid AND (stage, name) > (known.stage, known.name) ORDER BY stage, name LIMIT 1) next),
    chosen AS (SELECT stage, name FROM known WHERE ${inStage} AND ${named})`;
}

function stepsOf({ fromStep, toStep }: MetricQuery): Prisma.Sql {
  const from = fromStep === undefined ? Prisma.sql`TRUE` : Prisma.sql`step >= ${fromStep}::int`;
  const to = toStep === undefined ? Prisma.sql`TRUE` : Prisma.sql`step <= ${toStep}::int`;
  return Prisma.sql`${from} AND ${to}`;
}

async function latest(client: Client, runUid: string, stage?: string): Promise<LatestMetric[]> {
  return client.$queryRaw<LatestMetric[]>`
    WITH RECURSIVE ${chosenSeries({ runUid, stage })}
    SELECT chosen.stage, chosen.name, final.step, final.value, final.at
    FROM chosen, LATERAL (
      SELECT step, value, at FROM metric_point
      WHERE run_uid = ${runUid}::uuid AND stage = chosen.stage AND name = chosen.name ORDER BY step DESC LIMIT 1) final
    ORDER BY stage, name`;
}
