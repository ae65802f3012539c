import type { ReportItem } from '@caricature/contracts';

/** Turns "so many of so many" into progress reports with the time left, by the pace so far. */
export function createProgress(report: (item: ReportItem) => void, now: () => number = Date.now): (step: number, totalSteps: number) => void {
  let first: { step: number; at: number } | undefined;
  let lastAt = 0;
  return (step, totalSteps) => {
    const at = now();
    first ??= { step, at };
    // Told twice a second at most, and always at the end.
    if (at - lastAt < 500 && step < totalSteps) return;
    lastAt = at;
    const done = step - first.step;
    const etaSeconds = done > 0 ? Math.round((((at - first.at) / done) * (totalSteps - step)) / 100) / 10 : undefined;
    report({ type: 'progress', step, totalSteps, ...(etaSeconds !== undefined ? { etaSeconds } : {}) });
  };
}
