import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReportItem } from '@caricature/contracts';
import { CHECKPOINT_FILE, checkpointStep } from '@caricature/models';
import type { StageContext } from './stage.js';

/** Reports of steps before the checkpoint that were not taken when it was made: those steps are not done again to be reported anew. */
const UNSENT_FILE = 'unsent-reports.json';
/** An older checkpoint, for a run that may be rolled back, and what was rolled back already. */
const EARLIER_FILE = 'earlier.checkpoint';
const ROLLBACK_FILE = 'rollback.json';
/** The older one is this many checkpoints behind at least, once there are so many. */
const CHECKPOINTS_BETWEEN = 4;

/** Where a training that went wrong is to go on: `times` counts its rollbacks. */
export interface Rollback {
  times: number;
  toStep: number;
}

export interface CheckpointChoice {
  /** Keep an older checkpoint too. */
  mayRollBack?: boolean;
  rollback?: Rollback | undefined;
}

type CheckpointContext = Pick<StageContext, 'scratchDir' | 'work' | 'log' | 'report' | 'unsentReports'>;

/**
 * Brings the last checkpoint to this machine and sends what its maker could not, and gives what keeps each new one in the artifact
 * store: the next attempt may run anywhere.
 */
export async function keepCheckpoints(context: CheckpointContext, { mayRollBack = false, rollback }: CheckpointChoice = {}): Promise<{
  checkpointDir: string;
  resume: true;
  onCheckpoint: (checkpoint: { step: number; file: string }) => Promise<void>;
}> {
  const { scratchDir, work, log, unsentReports } = context;
  if (rollback) await rollBack(context, rollback);
  await resume(context);
  let checkpoints = 0;
  return {
    checkpointDir: scratchDir,
    resume: true,
    onCheckpoint: async ({ step, file }) => {
      // The reports first: were it killed in between, the older checkpoint's steps would be reported twice, which counts once.
      if (mayRollBack && checkpoints++ % CHECKPOINTS_BETWEEN === 0) await keepEarlier(work);
      await work.put(UNSENT_FILE, Buffer.from(JSON.stringify((await unsentReports()).filter(isOfAStep))));
      await work.put(CHECKPOINT_FILE, { file });
      log(`checkpoint at step ${step}`);
    },
  };
}

/** The last checkpoint becomes the older one, before another takes its place. */
async function keepEarlier(work: CheckpointContext['work']): Promise<void> {
  if (await work.head(CHECKPOINT_FILE)) await work.put(EARLIER_FILE, await work.get(CHECKPOINT_FILE));
}

/** Makes the newest checkpoint that was still good the last one; without any, the training begins anew. Done once for each rollback. */
async function rollBack({ work, log }: CheckpointContext, { times, toStep }: Rollback): Promise<void> {
  const done = (await work.head(ROLLBACK_FILE)) ? (JSON.parse((await work.get(ROLLBACK_FILE)).toString()) as Rollback).times : 0;
  if (done >= times) return;
  const good = await findGood(work, toStep);
  if (good) await work.put(CHECKPOINT_FILE, good);
  else await work.remove(CHECKPOINT_FILE);
  // Of steps that are done again.
  await work.remove(UNSENT_FILE);
  await work.put(ROLLBACK_FILE, Buffer.from(JSON.stringify({ times, toStep } satisfies Rollback)));
  log(`rolled back to step ${good ? checkpointStep(good) : 0}`);
}

async function findGood(work: CheckpointContext['work'], toStep: number): Promise<Buffer | undefined> {
  for (const name of [CHECKPOINT_FILE, EARLIER_FILE]) {
    const bytes = (await work.head(name)) ? await work.get(name) : undefined;
    if (bytes && checkpointStep(bytes) <= toStep) return bytes;
  }
  return undefined;
}

async function resume({ scratchDir, work, log, report }: CheckpointContext): Promise<void> {
  const file = join(scratchDir, CHECKPOINT_FILE);
  // One that was left here without its reports is not gone on from.
  if (!(await work.head(CHECKPOINT_FILE))) return rm(file, { force: true });
  await writeFile(file, await work.get(CHECKPOINT_FILE));
  if (await work.head(UNSENT_FILE)) for (const item of JSON.parse((await work.get(UNSENT_FILE)).toString()) as ReportItem[]) report(item);
  log('going on from the last checkpoint');
}

/** Progress and totals are told anew by whoever goes on. */
function isOfAStep({ type }: ReportItem): boolean {
  return type === 'metrics' || type === 'sample';
}
