export type Schedule = 'constant' | 'oneCycle' | 'linearDecay';

const WARM_UP_SHARE = 0.25;
const DECAY_START_SHARE = 0.5;

/** The learning rate of a step, a function of its place in the run alone (so nothing has to be saved). */
export function scheduledRate(schedule: Schedule, peak: number, step: number, steps: number): number {
  const done = step / steps;
  if (schedule === 'constant') return peak;
  if (schedule === 'linearDecay') return done < DECAY_START_SHARE ? peak : peak * Math.max(0.05, (1 - done) / (1 - DECAY_START_SHARE));
  if (done < WARM_UP_SHARE) return peak * (0.04 + 0.96 * (1 - Math.cos((Math.PI * done) / WARM_UP_SHARE)) * 0.5);
  return peak * Math.max(1e-3, 0.5 * (1 + Math.cos((Math.PI * (done - WARM_UP_SHARE)) / (1 - WARM_UP_SHARE))));
}
