import { join } from 'node:path';
import { type PositionOptions, trainPositionReader } from '@caricature/models';
import { drawMovedAvatars, PLACED_FEATURES, placesOfTraits, TRAIT_NAMES, type Traits } from '@caricature/portraits';
import { createProgress } from './progress.js';
import { InterruptedError } from './stage.error.js';
import type { StageContext } from './stage.js';

/** Avatars that the position reader learns from, and those that its own error is measured on. */
const TRAINED_ON = 640;
const HELD_OUT = 96;
/** Both eyes are one feature to whoever reads the scores. */
const FEATURE_NAMES = PLACED_FEATURES.map((feature) => (feature.endsWith('Eye') ? 'eyes' : feature));

export interface PositionJudgement {
  positions: PositionOptions;
  /** The reader's own mean error in pixels on avatars that it was not trained on, and that of one that always gives the same answer. */
  readerScores: { positionReaderError: number; positionReaderErrorChance: number };
}

/**
 * Trains the reader that finds eyes, nose and mouth in a picture: on avatars drawn here, since only of these it is known where each feature is. It has features
 * to find that were moved, so that it cannot answer with the place that every avatar has them in.
 * @param size height and width of the pictures to be scored
 * @param steps at most
 */
export async function makePositionJudgement({ scratchDir, report, signal, log }: StageContext<unknown>, { size, steps, seed }: { size: number; steps: number; seed: number }): Promise<PositionJudgement> {
  const outputDir = join(scratchDir, 'positions');
  const progress = createProgress(report);
  const { outcome, metrics } = await trainPositionReader({
    training: drawMovedAvatars({ count: TRAINED_ON, size, seed: 2 * seed }),
    heldOut: drawMovedAvatars({ count: HELD_OUT, size, seed: 2 * seed + 1 }),
    featureNames: FEATURE_NAMES,
    steps,
    seed,
    outputDir,
    signal,
    onStep: ({ step, totalSteps }) => progress(step, totalSteps),
  });
  if (outcome === 'interrupted') throw new InterruptedError();
  const readerScores = { positionReaderError: metrics['error']! * size, positionReaderErrorChance: metrics['chance']! * size };
  log(`the position reader errs by ${readerScores.positionReaderError.toFixed(2)} pixels where a constant answer would by ${readerScores.positionReaderErrorChance.toFixed(2)}`);
  return { positions: { readerDir: outputDir, featureNames: FEATURE_NAMES, placesOf }, readerScores };
}

/** The mouth's place depends on its trait; a row with anything unknown is no avatar that could be drawn. */
function placesOf(row: ArrayLike<number>): Float32Array | undefined {
  const values = Array.from(row);
  if (values.some((value) => value < 0)) return undefined;
  return placesOfTraits(Object.fromEntries(TRAIT_NAMES.map((name, k) => [name, values[k]!])) as Traits);
}
