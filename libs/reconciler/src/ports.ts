import type { ArtifactRef, CrawlJob, CrawlJobStatus, Phase, Reason, ReportItem, ResourceOwner, StageAssignment, StageName, StageProgress, TrainingRun, TrainingRunStatus } from '@caricature/contracts';
import type { TrainingHealth } from './health.js';

export type Resource = CrawlJob | TrainingRun;
export type ResourceKind = Resource['kind'];
export type ResourceStatus = CrawlJobStatus | TrainingRunStatus;

/** Names one resource: what a queue holds. */
export interface ResourceKey {
  kind: ResourceKind;
  namespace: string;
  name: string;
}

export interface ResourceSummary extends ResourceKey {
  uid: string;
  phase: Phase;
}

/** What there is to count: all resources in a few words each, as there may be very many, and whole only the runs that are not finished. */
export interface Census {
  all: ResourceSummary[];
  unfinishedRuns: Resource[];
}

export interface ResourceEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
}

/** Held by resources whose deletion the controller has to see. */
export const FINALIZER = 'caricature.dev/jobs';

/** Where resources live: an API server, or Postgres on a machine without one. */
export interface ResourceStore {
  find(key: ResourceKey): Promise<Resource | undefined>;
  list(kind: ResourceKind, namespace?: string, filter?: { unfinished?: boolean }): Promise<Resource[]>;
  /** Waits for nothing: of what is being listed it counts what is known so far. */
  census(): Promise<Census>;
  /** Calls `onChange` for every resource there is and then for every change, until `signal` aborts. May repeat itself. */
  watch(onChange: (key: ResourceKey) => void, signal: AbortSignal): Promise<void>;
  /** Writes the status if the resource is still as it was read; throws an error that `isConflict` knows otherwise. */
  updateStatus(resource: Resource, status: ResourceStatus): Promise<void>;
  recordEvent(resource: Resource, event: ResourceEvent): Promise<void>;
  /** Makes a deletion wait until `removeFinalizer`; throws an error that `isConflict` knows when the resource was changed since it was read. */
  addFinalizer(resource: Resource): Promise<void>;
  /** Lets a resource that is marked for deletion go. */
  removeFinalizer(resource: Resource): Promise<void>;
  delete(resource: Resource): Promise<void>;
}

/** Somebody else changed what was to be written: it has to be read again. */
export function isConflict(error: unknown): boolean {
  return /^conflict$/i.test(String((error as { code?: unknown } | undefined)?.code));
}

export type JobState = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/** What keeps a stage from starting, and would let it go on by itself once it is mended. */
export interface Obstacle {
  reason: Reason;
  message: string;
}

/** A job could not be made now: its place refuses it (a quota, a namespace that is being deleted). It is asked for again later. */
export class JobRefusedError extends Error {
  readonly code = 'JobRefused';
  readonly retryable = true;
  constructor(
    readonly reason: Reason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'JobRefusedError';
  }
}

/** What a pod driver sees of one attempt at one stage. */
export interface JobObservation {
  name: string;
  stage: StageName;
  attempt: number;
  state: JobState;
  /** The stage asks for something impossible (exit code 64): trying again is of no use. */
  terminal: boolean;
  /** It was stopped from outside (SIGTERM, eviction, a machine gone): not the stage's fault. */
  disrupted: boolean;
  /** The key of the artifact that it makes, where the driver knows it. */
  key?: string;
  /** Why it is still Pending. */
  obstacle?: Obstacle;
  startTime?: string;
  completionTime?: string;
  /** Why it failed, with the last lines of its log. */
  message?: string;
}

/** How a stage's process is run: what its owner's spec says of it, beside what it computes. */
export type Execution = Pick<
  Resource['spec'],
  'resources' | 'nodeSelector' | 'tolerations' | 'priorityClassName' | 'queueName' | 'activeDeadlineSeconds'
> & {
  /** Processes that share the stage's work; 1 unless told. */
  parallelism?: number;
};

/** Runs stages: Jobs on a cluster, child processes on one machine. */
export interface PodDriver {
  /** The attempts made for this owner, finished ones too. A place may forget finished ones after a while: what became of them is written down elsewhere. */
  list(owner: ResourceOwner): Promise<JobObservation[]>;
  /** Idempotent by the assignment's job name: a job that exists already is left as it is. @throws JobRefusedError */
  create(assignment: StageAssignment, execution: Execution): Promise<void>;
  /** Asks a running job to checkpoint and stop, and kills it if it does not. Does not wait; idempotent. */
  stop(owner: ResourceOwner, job: string): Promise<void>;
  /** Forgets everything about an owner that is being deleted; its jobs have ended. */
  forget(owner: ResourceOwner): Promise<void>;
  /** The whole log of an attempt, or undefined when there is none. */
  log(owner: ResourceOwner, job: string): Promise<string | undefined>;
  /** Calls `onChange` with the owner of each job that changes, until `signal` aborts. */
  watch(onChange: (owner: ResourceOwner) => void, signal: AbortSignal): Promise<void>;
}

/** What the workers have told about a resource's stages so far. */
export interface StageReport {
  /** The attempt that told last. */
  attempt?: number;
  progress?: StageProgress;
  metrics?: Record<string, number>;
  failure?: Extract<ReportItem, { type: 'failed' }>;
  health?: TrainingHealth;
}

/** Everything that planning looks at beside the resource itself and the time. */
export interface Observed {
  jobs: JobObservation[];
  reports: Partial<Record<StageName, StageReport>>;
  /** Finished artifacts that are there, by their key. */
  artifacts: Record<string, ArtifactRef & { metadata: Record<string, unknown> }>;
  /** Inputs made by other resources, by the stage that made them. */
  inputs: Record<string, InputState>;
  /** A digest of what the user's folder that a stage reads holds, where the folder can be seen. */
  folders?: Partial<Record<StageName, string>>;
  samples: TrainingRunStatus['samples'];
  /** Stages whose job could not be made just now. */
  refusals?: Partial<Record<StageName, Obstacle>>;
  /** The published version, once there is one. */
  model?: TrainingRunStatus['model'];
  /** How often to look even if no change is heard of, where changes are heard of reliably; more often unless told. */
  resyncMs?: number;
}

export type InputState = { state: 'Ready'; artifact: ArtifactRef } | { state: 'Waiting'; message: string } | { state: 'Failed'; message: string };
