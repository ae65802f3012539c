import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReportItem } from '@caricature/contracts';
import { CHECKPOINT_FILE } from '@caricature/models';
import type { StageContext } from './stage.js';

/** Reports of steps before the checkpoint that were not taken when it was made: those steps are not done again to be reported anew. */
const UNSENT_FILE = 'unsent-reports.json';

type CheckpointContext = Pick<StageContext, 'scratchDir' | 'work' | 'log' | 'report' | 'unsentReports'>;

/**
 * Brings the last checkpoint to this machine and sends what its maker could not, and gives what keeps each new one in the artifact
 * store: the next attempt may run anywhere.
 */
export async function keepCheckpoints(context: CheckpointContext): Promise<{
  checkpointDir: string;
  resume: true;
  onCheckpoint: (checkpoint: { step: number; file: string }) => Promise<void>;
}> {
  const { scratchDir, work, log, unsentReports } = context;
  await resume(context);
  return {
    checkpointDir: scratchDir,
    resume: true,
    onCheckpoint: async ({ step, file }) => {
      // The reports first: were it killed in between, the older checkpoint's steps would be reported twice, which counts once.
      await work.put(UNSENT_FILE, Buffer.from(JSON.stringify((await unsentReports()).filter(isOfAStep))));
      await work.put(CHECKPOINT_FILE, { file });
      log(`checkpoint at step ${step}`);
    },
  };
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
