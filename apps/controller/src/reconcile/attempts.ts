import type { StageName } from '@caricature/contracts';
import type { StageAttemptRow } from '@caricature/database';
import { jobName, type JobObservation, type Resource } from '@caricature/reconciler';

const IMPOSSIBLE = 64;
const INTERRUPTED = 75;

/** The exit code that stands for how an attempt ended, in the worker's words. */
export function exitCodeOf({ state, terminal, disrupted }: JobObservation): number {
  if (state === 'Succeeded') return 0;
  return terminal ? IMPOSSIBLE : disrupted ? INTERRUPTED : 1;
}

/**
 * All attempts: those that the driver still has, and those that it no longer knows of (a Job that was deleted, or whose time to live is
 * over) as they were written down. Without the latter a counter of failures would begin anew, and finished work be done again.
 */
export function allAttempts(resource: Resource, jobs: JobObservation[], rows: StageAttemptRow[]): JobObservation[] {
  const gone = rows.filter((row) => !jobs.some((job) => job.stage === row.stage && job.attempt === row.attempt));
  return [...jobs, ...gone.map((row) => fromRow(resource, row))];
}

function fromRow(resource: Resource, row: StageAttemptRow): JobObservation {
  const stage = row.stage as StageName;
  const name = jobName(resource.metadata.name, stage, row.attempt);
  const common = { name, stage, attempt: row.attempt, key: row.key, ...(row.startedAt ? { startTime: row.startedAt.toISOString() } : {}) };
  if (!row.completedAt) {
    const now = new Date().toISOString();
    return { ...common, state: 'Failed', terminal: false, disrupted: true, completionTime: now, message: row.message ?? 'its job was deleted' };
  }
  return {
    ...common,
    state: row.exitCode === 0 ? 'Succeeded' : 'Failed',
    terminal: row.exitCode === IMPOSSIBLE,
    disrupted: row.exitCode === INTERRUPTED,
    completionTime: row.completedAt.toISOString(),
    ...(row.message ? { message: row.message } : {}),
  };
}
