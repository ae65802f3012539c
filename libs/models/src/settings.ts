import type { OptimizerName } from './optimizer/optimizer.js';
import type { Schedule } from './optimizer/schedule.js';

export type PresetName = 'faces-152' | 'report-152' | 'faces-64' | 'faces-32-test' | 'digits-32';

export interface TrainingSettings {
  steps: number;
  batchSize: number;
  learningRate: number;
  optimizer: OptimizerName;
  beta1: number;
  schedule: Schedule;
}

/** Settings that a resource may give over its preset's. */
export type TrainingOverrides = { [K in keyof TrainingSettings]?: TrainingSettings[K] | undefined };

/** Which weights a run hands over: the last, or those of the best score. The score is a weighted sum that needs no label of the target domain. */
export interface SelectionSettings {
  keep: 'last' | 'best';
  /** Steps between two scores. */
  everySteps: number;
  weights: Record<string, number>;
}
