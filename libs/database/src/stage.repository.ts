import type { Client } from './client.js';
import { NotFoundError } from './errors.js';
import type { StageAttempt } from './generated/client.js';
import { toText } from './json.js';
import type { StageRepository } from './ports.js';
import type { StageAttemptRow, StageAttemptWrite } from './rows.js';

export function createStageRepository(client: Client): StageRepository {
  return {
    record: (attempt) => record(client, attempt),
    list: async (runUid) => (await client.stageAttempt.findMany({ where: { runUid }, orderBy: { id: 'asc' } })).map(toRow),
    listByKeys: async (keys) => (await client.stageAttempt.findMany({ where: { key: { in: keys } }, orderBy: { id: 'asc' } })).map(toRow),
    findLatest: async (runUid, stage) => {
      const row = await client.stageAttempt.findFirst({ where: { runUid, stage }, orderBy: { attempt: 'desc' } });
      return row ? toRow(row) : undefined;
    },
  };
}

async function record(client: Client, write: StageAttemptWrite): Promise<StageAttemptRow> {
  const { runUid, stage, attempt, state, key, ...others } = write;
  const rest = { ...others, message: toText(others.message) };
  const where = { runUid_stage_attempt: { runUid, stage, attempt } };
  if (state !== undefined && key !== undefined) {
    const change = { state, key, ...rest };
    return toRow(await client.stageAttempt.upsert({ where, create: { runUid, stage, attempt, ...change }, update: change }));
  }
  const [row] = await client.stageAttempt.updateManyAndReturn({ where: { runUid, stage, attempt }, data: { state, key, ...rest } });
  if (!row) throw new NotFoundError(`attempt ${attempt} of stage ${stage} in run ${runUid} (a new one needs its state and key)`);
  return toRow(row);
}

function toRow({ id: _, ...row }: StageAttempt): StageAttemptRow {
  return row;
}
