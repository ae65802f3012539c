import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CHECKPOINT_FILE } from '@caricature/models';
import type { StageContext } from './stage.js';

/**
 * Brings the last checkpoint to this machine, if it was made on another, and gives what keeps each new one in the artifact store: the
 * next attempt may run anywhere.
 */
export async function keepCheckpoints(context: Pick<StageContext, 'scratchDir' | 'work' | 'log'>): Promise<{
  checkpointDir: string;
  resume: true;
  onCheckpoint: (checkpoint: { step: number; file: string }) => Promise<void>;
}> {
  const { scratchDir, work, log } = context;
  if (await work.head(CHECKPOINT_FILE)) {
    await writeFile(join(scratchDir, CHECKPOINT_FILE), await work.get(CHECKPOINT_FILE));
    log('going on from the last checkpoint');
  }
  return {
    checkpointDir: scratchDir,
    resume: true,
    onCheckpoint: async ({ step, file }) => {
      await work.put(CHECKPOINT_FILE, { file });
      log(`checkpoint at step ${step}`);
    },
  };
}
