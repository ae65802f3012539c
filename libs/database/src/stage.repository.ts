import { type Client, inTransaction } from './client.js';
import { NotFoundError } from './errors.js';
import type { StageAttempt } from './generated/client.js';
import type { StageRepository } from './ports.js';
import type { StageAttemptRow, StageAttemptWrite } from './rows.js';

export function createStageRepository(client: Client): StageRepository {
  return {
    record: (attempt) => inTransaction(client, (tx) => record(tx, attempt)),
    list: async (runUid) => (await client.stageAttempt.findMany({ where: { runUid }, orderBy: { id: 'asc' } })).map(toRow),
    findLatest: async (runUid, stage) => {
      const row = await client.stageAttempt.findFirst({ where: { runUid, stage }, orderBy: { attempt: 'desc' } });
      return row ? toRow(row) : undefined;
    },
  };
}

async function record(tx: Client, write: StageAttemptWrite): Promise<StageAttemptRow> {
  const { runUid, stage, attempt, state, key, ...rest } = write;
  const where = { runUid_stage_attempt: { runUid, stage, attempt } };
  if (state !== undefined && key !== undefined) {
    const change = { state, key, ...rest };
    return toRow(await tx.stageAttempt.upsert({ where, create: { runUid, stage, attempt, ...change }, update: change }));
  }
  if (!(await tx.stageAttempt.findUnique({ where }))) {
    throw new NotFoundError(`attempt ${attempt} of stage ${stage} in run ${runUid} (a new one needs its state and key)`);
  }
  return toRow(await tx.stageAttempt.update({ where, data: { state, key, ...rest } }));
}

function toRow({ id: _, ...row }: StageAttempt): StageAttemptRow {
  return row;
}
