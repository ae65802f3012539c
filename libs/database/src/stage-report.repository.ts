import type { Client } from './client.js';
import type { Prisma, StageReport } from './generated/client.js';
import { toJson } from './json.js';
import type { StageReportRepository } from './ports.js';
import type { JsonObject, StageReportRow } from './rows.js';

/** The channel of the notices; see report.watch.ts. */
export const REPORT_CHANNEL = 'caricature_reports';
/** Postgres takes notices of up to 8,000 bytes. */
const LARGEST_NOTICE = 7_900;

export function createStageReportRepository(client: Client): StageReportRepository {
  return {
    findForUpdate: async (runUid, stage) => {
      const rows = await client.$queryRaw<StageReportRow[]>`
        SELECT run_uid AS "runUid", stage, attempt, report, updated_at AS "updatedAt" FROM stage_report
        WHERE run_uid = ${runUid}::uuid AND stage = ${stage} FOR UPDATE`;
      return rows[0];
    },
    save: async ({ runUid, stage, attempt, report }, notice) => {
      const change = { attempt, report: toJson(report) as Prisma.InputJsonObject, updatedAt: new Date() };
      await client.stageReport.upsert({ where: { runUid_stage: { runUid, stage } }, create: { runUid, stage, ...change }, update: change });
      await client.$executeRaw`SELECT pg_notify(${REPORT_CHANNEL}, ${shortened(notice)})`;
    },
    list: async (runUid) => (await client.stageReport.findMany({ where: { runUid } })).map(toRow),
    listSince: async (updatedAfter) => (await client.stageReport.findMany({ where: { updatedAt: { gt: updatedAfter } } })).map(toRow),
  };
}

/** A notice that is too long goes without its longest field: whoever hears it still knows where to look. */
function shortened(notice: JsonObject): string {
  const text = JSON.stringify(notice);
  if (Buffer.byteLength(text) <= LARGEST_NOTICE) return text;
  const [longest] = Object.entries(notice).sort(([, a], [, b]) => JSON.stringify(b).length - JSON.stringify(a).length)[0] ?? [''];
  return shortened(Object.fromEntries(Object.entries(notice).filter(([name]) => name !== longest)));
}

function toRow(row: StageReport): StageReportRow {
  return { ...row, report: row.report as JsonObject };
}
