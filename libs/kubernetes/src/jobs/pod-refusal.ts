import type { CoreV1Event } from '@kubernetes/client-node';
import type { Obstacle } from '@caricature/reconciler';

/** Only in events does the Job controller say that it cannot make a pod: of quotas and missing objects. */
export const REFUSED_PODS = 'involvedObject.kind=Job,reason=FailedCreate';

/** What is remembered of such an event. */
export interface PodRefusal {
  jobUid: string;
  at: string;
  message: string;
}

export function podRefusal({ involvedObject, message, lastTimestamp, eventTime }: CoreV1Event): PodRefusal {
  return { jobUid: involvedObject?.uid ?? '', at: String(lastTimestamp ?? eventTime ?? ''), message: message ?? '' };
}

/** What keeps a Job without pods from having one, by the newest of its refusals. */
export function obstacleOf(refusals: PodRefusal[]): Obstacle | undefined {
  const message = refusals.sort((a, b) => a.at.localeCompare(b.at)).at(-1)?.message;
  if (!message) return undefined;
  return { reason: /exceeded quota/.test(message) ? 'QuotaExceeded' : 'PodRefused', message: `no pod can be made for the job (${message})` };
}
