import type { V1Job, V1JobCondition } from '@kubernetes/client-node';
import type { ResourceOwner, StageName } from '@caricature/contracts';
import type { JobObservation, Obstacle } from '@caricature/reconciler';
import { ATTEMPT, KEY, ownerOf, QUEUE, STAGE } from './labels.js';
import type { PodRecord } from './pod-record.js';

/** What is remembered of a Job. */
export interface JobRecord {
  name: string;
  uid: string;
  owner: ResourceOwner;
  stage: StageName;
  attempt: number;
  key?: string | undefined;
  createdAt: string;
  startTime?: string | undefined;
  completionTime?: string | undefined;
  isDeleted: boolean;
  isSuspended: boolean;
  queue?: string | undefined;
  active: number;
  end?: { state: 'Succeeded' | 'Failed'; reason: string; message: string } | undefined;
}

/** Undefined for a Job that is none of ours. */
export function jobRecord({ metadata = {}, spec, status = {} }: V1Job): JobRecord | undefined {
  const owner = ownerOf(metadata.namespace ?? '', metadata.labels);
  const stage = metadata.labels?.[STAGE];
  if (!owner || !stage) return undefined;
  const ended = status.conditions?.find((c) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True');
  return {
    name: metadata.name!,
    uid: metadata.uid!,
    owner,
    stage: stage as StageName,
    attempt: Number(metadata.labels?.[ATTEMPT] ?? 1),
    key: metadata.annotations?.[KEY],
    createdAt: String(metadata.creationTimestamp),
    startTime: status.startTime && String(status.startTime),
    completionTime: completionOf(status.completionTime, ended),
    isDeleted: metadata.deletionTimestamp !== undefined,
    isSuspended: spec?.suspend === true,
    queue: metadata.labels?.[QUEUE],
    active: status.active ?? 0,
    end: ended && { state: ended.type === 'Complete' ? 'Succeeded' : 'Failed', reason: ended.reason ?? '', message: ended.message ?? '' },
  };
}

function completionOf(completionTime: unknown, ended: V1JobCondition | undefined): string | undefined {
  if (!ended) return undefined;
  return String(completionTime ?? ended.lastTransitionTime ?? '') || undefined;
}

const IMPOSSIBLE = 64;

/** How an attempt stands, from its Job, its pods, and what the Job controller could not do (`blocked`). */
export function observeJob(job: JobRecord, pods: PodRecord[], blocked?: Obstacle): JobObservation {
  const common = { name: job.name, stage: job.stage, attempt: job.attempt, terminal: false, disrupted: false, ...(job.key ? { key: job.key } : {}) };
  const times = { ...(job.startTime ? { startTime: job.startTime } : {}), ...(job.completionTime ? { completionTime: job.completionTime } : {}) };
  if (job.end?.state === 'Succeeded') return { ...common, ...times, state: 'Succeeded' };
  if (job.end) return { ...common, ...times, state: 'Failed', ...describeFailure(job, pods) };
  // A Job that is being deleted is there until its pods are gone: the next attempt must not run beside them.
  if (job.isDeleted || pods.some((p) => p.isRunning)) return { ...common, ...times, state: 'Running' };
  const obstacle = waitingForQueue(job) ?? pods.find((p) => p.obstacle)?.obstacle ?? (pods.length === 0 ? blocked : undefined);
  return { ...common, ...times, state: 'Pending', ...(obstacle ? { obstacle, message: obstacle.message } : {}) };
}

function waitingForQueue({ isSuspended, queue }: JobRecord): Obstacle | undefined {
  if (!isSuspended) return undefined;
  return { reason: 'WaitingForQueue', message: queue ? `waiting for queue ${queue} to admit the job` : 'its Job is suspended: somebody set spec.suspend on it' };
}

function describeFailure(job: JobRecord, pods: PodRecord[]): Pick<JobObservation, 'terminal' | 'disrupted' | 'message'> {
  const end = job.end!;
  const failed = pods.find((p) => p.exit && p.exit.code !== 0 && !p.disruption) ?? pods.find((p) => p.message && p.phase === 'Failed' && !p.disruption);
  const code = failed?.exit?.code ?? exitCodeIn(end.message);
  if (end.reason === 'DeadlineExceeded') return { terminal: false, disrupted: false, message: 'not finished within spec.activeDeadlineSeconds' };
  if (!failed && code === undefined) {
    const why = pods.find((p) => p.disruption)?.disruption ?? 'its pod was deleted';
    return { terminal: false, disrupted: true, message: `${why} (${end.message || end.reason})` };
  }
  return { terminal: code === IMPOSSIBLE, disrupted: false, message: messageOf(failed, code) };
}

function messageOf(pod: PodRecord | undefined, code: number | undefined): string {
  const why =
    pod?.exit?.reason === 'OOMKilled' ? 'it used more memory than spec.resources.limits.memory allows (OOMKilled)'
    : pod?.message ? pod.message
    : code !== undefined && code > 128 ? `it was killed by signal ${code - 128}`
    : `exit code ${code}`;
  return pod?.exit?.tail ? `${why}; the last lines of its log:\n${pod.exit.tail}` : why;
}

/** The Job's own words, should the pod be gone: "Container stage for pod a/b failed with exit code 64 matching FailJob rule at index 0". */
function exitCodeIn(message: string): number | undefined {
  const code = /exit code (\d+)/.exec(message)?.[1];
  return code === undefined ? undefined : Number(code);
}
