import type { Condition, ConditionType, Phase, Reason } from '@caricature/contracts';
import type { Verdict } from './health.js';

/** How a resource stands, in one word, with the reason. */
export interface Outcome {
  phase: Phase;
  reason: Reason;
  message: string;
}

/** The conditions for an outcome, by the Kubernetes conventions: a transition's time moves only when the status does. `health` is that of a training. */
export function planConditions(before: Condition[], { phase, reason, message }: Outcome, health: Verdict[], observedGeneration: number, now: string): Condition[] {
  const done = phase === 'Succeeded' || phase === 'Failed';
  const running = phase === 'Running' || phase === 'Pending';
  const set = (type: ConditionType, status: Condition['status'], why: Reason, text: string): Condition => {
    const old = before.find((c) => c.type === type);
    return { type, status, reason: why, message: text, observedGeneration, lastTransitionTime: old?.status === status ? old.lastTransitionTime : now };
  };
  return [
    set('Accepted', 'True', 'Accepted', 'the resource is well formed'),
    set('Progressing', running ? 'True' : 'False', reason, message),
    phase === 'Succeeded' ? set('Succeeded', 'True', reason, message) : set('Succeeded', done ? 'False' : 'Unknown', done ? reason : 'NotFinished', done ? message : 'not finished'),
    phase === 'Failed' ? set('Failed', 'True', reason, message) : set('Failed', done ? 'False' : 'Unknown', done ? 'NotFailed' : 'NotFinished', done ? 'did not fail' : 'not finished'),
    phase === 'Suspended' ? set('Suspended', 'True', reason, message) : set('Suspended', 'False', 'NotSuspended', 'not suspended'),
    ...health.map((verdict) => set(verdict.type, verdict.status, verdict.reason, verdict.message)),
  ];
}
