/** What the repositories give and take: plain values, so that nobody but this library knows Prisma. */

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

/** Names one custom resource. */
export interface ResourceRef {
  kind: string;
  namespace: string;
  name: string;
}

/** A custom resource of local mode. */
export interface ResourceRow extends ResourceRef {
  uid: string;
  apiVersion: string;
  /** Counts the changes of `spec`, from 1. */
  generation: number;
  /** A decimal string (it may exceed 2^53) that grows with every write to any resource. */
  resourceVersion: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  spec: JsonObject;
  status: JsonObject | null;
  finalizers: string[];
  deletionTimestamp: Date | null;
  createdAt: Date;
}

export interface NewResource extends ResourceRef {
  apiVersion: string;
  spec: JsonObject;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  status?: JsonObject;
}

export interface ResourceChange {
  type: 'Added' | 'Modified' | 'Deleted';
  resource: ResourceRow;
}

export type HistoryChange = 'Created' | 'SpecChanged' | 'PhaseChanged' | 'DeletionRequested' | 'Deleted';

/** One transition of a resource: kept after the resource itself is gone. */
export interface ResourceHistoryRow extends ResourceRef {
  uid: string;
  change: HistoryChange;
  generation: number;
  phase: string | null;
  spec: JsonObject;
  status: JsonObject | null;
  at: Date;
}

/** The parts of a resource that its history is made of. */
export type ObservedResource = ResourceRef & Pick<ResourceRow, 'uid' | 'generation' | 'spec' | 'status'>;

/** One attempt at one stage of a run or of a crawl job. */
export interface StageAttemptRow {
  runUid: string;
  stage: string;
  /** From 1. */
  attempt: number;
  /** The stage states of contracts: Pending, Running, Succeeded, Failed, … */
  state: string;
  /** True when the artifact of an earlier run was taken and nothing ran. */
  cached: boolean;
  /** SHA-256 over configuration, inputs and the stage's version: the artifact's cache key. */
  key: string;
  startedAt: Date | null;
  completedAt: Date | null;
  exitCode: number | null;
  message: string | null;
  /** Where the whole log is kept. */
  logUri: string | null;
  /** Digest of the artifact that the attempt made or took. */
  artifactDigest: string | null;
}

export type StageAttemptIdentity = Pick<StageAttemptRow, 'runUid' | 'stage' | 'attempt'>;
/** What may be told of an attempt: the first time with `state` and `key`, later only what changed. */
export type StageAttemptWrite = StageAttemptIdentity & Partial<Omit<StageAttemptRow, keyof StageAttemptIdentity>>;

/** What a stage told last, in the words of whoever saves it. */
export interface StageReportRow {
  runUid: string;
  stage: string;
  attempt: number;
  report: JsonObject;
  updatedAt: Date;
}

export interface ArtifactRow {
  digest: string;
  stage: string;
  /** Null when the artifact is no longer in the store and so cannot serve as a cached output. */
  key: string | null;
  uri: string;
  bytes: number;
  metadata: JsonObject;
  createdAt: Date;
}

export interface NewArtifact {
  digest: string;
  stage: string;
  key: string;
  uri: string;
  bytes: number;
  metadata?: JsonObject;
  /** Digests of the artifacts this one was made from; unknown ones are refused (NotFoundError). */
  from?: string[];
}

/** An artifact, everything it came from, and which came from which. */
export interface Lineage {
  artifacts: ArtifactRow[];
  edges: { from: string; to: string }[];
}

export interface MetricPoint {
  name: string;
  step: number;
  value: number;
  at: Date;
}

export interface MetricQuery {
  runUid: string;
  stage?: string;
  /** All series when left out. */
  names?: string[];
  /** At most so many buckets a series; 500 unless told. */
  maxPoints?: number;
  fromStep?: number;
  toStep?: number;
}

/** A bucket of neighbouring steps; where nothing had to be merged min = max = avg = last. */
export interface MetricBucket {
  /** The last step in the bucket. */
  step: number;
  min: number;
  max: number;
  avg: number;
  last: number;
  count: number;
  at: Date;
}

export interface MetricSeries {
  stage: string;
  name: string;
  points: MetricBucket[];
}

export interface LatestMetric extends MetricPoint {
  stage: string;
}

export interface SampleRow {
  runUid: string;
  step: number;
  uri: string;
  /** SHA-256 of the picture. */
  digest: string;
  createdAt: Date;
}

export interface ModelVersionRow {
  model: string;
  /** From 1, increasing by one. */
  version: number;
  runUid: string;
  artifactDigest: string;
  /** Where the artifact lies. */
  uri: string;
  scores: JsonObject;
  /** The stage that made the artifact. */
  stage: string;
  createdAt: Date;
}

export interface NewModelVersion {
  model: string;
  runUid: string;
  artifactDigest: string;
  uri: string;
  scores: JsonObject;
  stage: string;
  /** Set to the new version in the same transaction. */
  alias?: string;
}

export interface ModelAliasRow {
  model: string;
  alias: string;
  version: number;
  updatedAt: Date;
}

export interface ModelAliasChangeRow {
  model: string;
  alias: string;
  /** Null when the alias was new. */
  fromVersion: number | null;
  toVersion: number;
  at: Date;
}

export interface ModelRow {
  name: string;
  createdAt: Date;
  latestVersion: number;
  aliases: Record<string, number>;
}

export interface NewEvent {
  resourceUid: string;
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  at?: Date;
}

/** Equal events of one resource are one row that counts. */
export interface EventRow {
  resourceUid: string;
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  count: number;
  firstAt: Date;
  lastAt: Date;
}
