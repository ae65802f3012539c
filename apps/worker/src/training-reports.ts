import type { StageContext } from './stage.js';
import { createProgress } from './progress.js';

interface Step {
  step: number;
  totalSteps: number;
  metrics: Record<string, number>;
  seconds: number;
}

/** Reports every step's losses, its duration, the images a second and the time left, and logs one line every so many steps. */
export function createStepReporter({ report, log }: Pick<StageContext, 'report' | 'log'>, batchSize: number): (step: Step) => void {
  const progress = createProgress(report);
  return ({ step, totalSteps, metrics, seconds }) => {
    progress(step, totalSteps);
    report({ type: 'metrics', step, at: new Date().toISOString(), values: { ...metrics, 'step/seconds': seconds, 'images/second': batchSize / seconds } });
    if (step % 50 === 0 || step === totalSteps) {
      const losses = Object.entries(metrics).map(([name, value]) => `${name} ${value.toFixed(3)}`);
      log(`step ${step}/${totalSteps} ${losses.join(' ')} (${(seconds * 1000).toFixed(0)} ms)`);
    }
  };
}
