import path from 'node:path';
import type { Dataset } from '@caricature/tensors';
import { tf } from '../backend/tensorflow.js';
import { computeFeatures } from '../dtn/features.js';
import { loadFrozen } from '../transfer/caricaturist.js';

export interface ClassifierScores {
  /** Share of images that get their person's name, and what naming the most frequent person would reach. */
  heldOutAccuracy: number;
  heldOutAccuracyChance: number;
}

/** How often f and its classifier (`f/` and `head/` of a folder) name the person on images of a data set. */
export async function evaluateClassifier(classifierDir: string, dataset: Dataset): Promise<ClassifierScores> {
  const [f, head] = [await loadFrozen(path.join(classifierDir, 'f')), await loadFrozen(path.join(classifierDir, 'head'))];
  try {
    const { values, size } = computeFeatures(f, dataset);
    const read = tf.tidy(() => head.apply(tf.tensor2d(values, [dataset.count, size])).argMax(-1).dataSync());
    const counts = new Map<number, number>();
    for (const label of dataset.labels) counts.set(label, (counts.get(label) ?? 0) + 1);
    const right = dataset.labels.filter((label, i) => label === read[i]).length;
    return { heldOutAccuracy: right / dataset.count, heldOutAccuracyChance: Math.max(...counts.values()) / dataset.count };
  } finally {
    f.dispose();
    head.dispose();
  }
}
