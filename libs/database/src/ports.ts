import type {
  ArtifactRow, EventRow, JsonObject, LatestMetric, Lineage, MetricPoint, MetricQuery, MetricSeries, ModelAliasChangeRow, ModelAliasRow,
  ModelRow, ModelVersionRow, NewArtifact, NewEvent, NewModelVersion, NewResource, ObservedResource, ResourceChange, ResourceHistoryRow,
  ResourceRef, ResourceRow, SampleRow, StageAttemptRow, StageAttemptWrite, StageReportRow,
} from './rows.js';

/** Makes a write conditional: ConflictError when the resource is no longer at this version. */
export interface IfVersion {
  resourceVersion?: string;
}

/** The custom resources of local mode. Every write gives a new resourceVersion; versions become visible in their order. */
export interface ResourceRepository {
  /** Throws AlreadyExistsError. */
  create(resource: NewResource): Promise<ResourceRow>;
  find(ref: ResourceRef): Promise<ResourceRow | undefined>;
  findByUid(uid: string): Promise<ResourceRow | undefined>;
  /** Throws NotFoundError. */
  get(ref: ResourceRef): Promise<ResourceRow>;
  /** Oldest first. */
  list(filter?: { kind?: string; namespace?: string; labels?: Record<string, string> }): Promise<ResourceRow[]>;
  /** Counts the generation up when the spec differs. Throws NotFoundError, ConflictError. */
  updateSpec(ref: ResourceRef, change: { spec: JsonObject; labels?: Record<string, string>; annotations?: Record<string, string> } & IfVersion): Promise<ResourceRow>;
  /** A status equal to the stored one writes nothing. Throws NotFoundError, ConflictError. */
  updateStatus(ref: ResourceRef, status: JsonObject, condition?: IfVersion): Promise<ResourceRow>;
  /** Undefined when the last finalizer of a resource marked for deletion went, and the resource with it. */
  updateFinalizers(ref: ResourceRef, finalizers: string[], condition?: IfVersion): Promise<ResourceRow | undefined>;
  /** Marks a resource that has finalizers for deletion and gives it; deletes any other and gives undefined. Throws NotFoundError, ConflictError. */
  delete(ref: ResourceRef, condition?: IfVersion): Promise<ResourceRow | undefined>;
  /** The transitions of one resource, oldest first; works after its deletion. */
  history(uid: string): Promise<ResourceHistoryRow[]>;
  /** Writes the transition of a resource that lives elsewhere (an API server), if its generation or phase is new. */
  observe(resource: ObservedResource): Promise<void>;
}

/** The repositories as a transaction sees them. */
export interface Repositories {
  resources: ResourceRepository;
  stages: StageRepository;
  artifacts: ArtifactRepository;
  metrics: MetricRepository;
  samples: SampleRepository;
  models: ModelRepository;
  events: EventRepository;
  stageReports: StageReportRepository;
}

export interface StageRepository {
  /** Inserts the attempt, or changes the named fields of a known one. A new one needs `state` and `key`. */
  record(attempt: StageAttemptWrite): Promise<StageAttemptRow>;
  /** All attempts of a run in the order they began. */
  list(runUid: string): Promise<StageAttemptRow[]>;
  findLatest(runUid: string, stage: string): Promise<StageAttemptRow | undefined>;
  /** Those of any run that were to make one of these artifacts. */
  listByKeys(keys: string[]): Promise<StageAttemptRow[]>;
}

export interface ArtifactRepository {
  /** Idempotent by `key`: the first to record a key wins, and its row is what everybody gets. */
  record(artifact: NewArtifact): Promise<ArtifactRow>;
  findByKey(key: string): Promise<ArtifactRow | undefined>;
  findByDigest(digest: string): Promise<ArtifactRow | undefined>;
  /** Those that a run's stages made or took. */
  listForRun(runUid: string): Promise<ArtifactRow[]>;
  list(filter?: { stage?: string; limit?: number }): Promise<ArtifactRow[]>;
  lineage(digest: string): Promise<Lineage>;
  /** The store lost it: the key is free for a new output, the row stays for lineage. */
  forget(key: string): Promise<void>;
}

export interface MetricRepository {
  /** One statement; points known by (run, stage, name, step) and values that are not finite are left out. Gives how many were new. */
  insertMany(runUid: string, stage: string, points: MetricPoint[]): Promise<number>;
  /** Of a stage's steps that are done again: they and all after them. */
  forgetFrom(runUid: string, stage: string, step: number): Promise<void>;
  /** Downsampled in SQL. */
  series(query: MetricQuery): Promise<MetricSeries[]>;
  /** The last point of each series. */
  latest(runUid: string, stage?: string): Promise<LatestMetric[]>;
}

export interface SampleRepository {
  record(sample: { runUid: string; step: number; uri: string; digest: string }): Promise<SampleRow>;
  /** By step. */
  list(runUid: string): Promise<SampleRow[]>;
}

export interface ModelRepository {
  /** Allocates the next version; the same (runUid, artifactDigest) gives the version it already has. */
  publish(version: NewModelVersion): Promise<ModelVersionRow>;
  /** Throws NotFoundError for an unknown version. */
  setAlias(model: string, alias: string, version: number): Promise<ModelAliasRow>;
  /** By alias, by version number, or, with neither, the newest. */
  find(model: string, aliasOrVersion?: string | number): Promise<ModelVersionRow | undefined>;
  /** The version that a run has published of this artifact. */
  findPublished(publication: { model: string; runUid: string; artifactDigest: string }): Promise<ModelVersionRow | undefined>;
  list(): Promise<ModelRow[]>;
  /** Newest first. */
  versions(model: string): Promise<ModelVersionRow[]>;
  /** Whether some version of some model lies there. */
  isPublished(uri: string): Promise<boolean>;
  /** Oldest first. */
  aliasHistory(model: string): Promise<ModelAliasChangeRow[]>;
}

export interface EventRepository {
  record(event: NewEvent): Promise<void>;
  /** Latest first; 100 unless told. */
  list(resourceUid: string, limit?: number): Promise<EventRow[]>;
}

/** The last word of every stage. */
export interface StageReportRepository {
  /** The row is locked until the transaction ends: whoever changes it next sees this change. */
  findForUpdate(runUid: string, stage: string): Promise<StageReportRow | undefined>;
  /** `notice` is passed to every replica that watches, once the transaction is committed. */
  save(report: Omit<StageReportRow, 'updatedAt'>, notice: JsonObject): Promise<void>;
  list(runUid: string): Promise<StageReportRow[]>;
  listSince(updatedAfter: Date): Promise<StageReportRow[]>;
}

export interface ReportRepository {
  /**
   * Runs `fn` in one transaction unless this or a later sequence number of the job was applied before.
   * A job sends its reports in order. Gives false for a repeated report; when `fn` throws nothing is kept.
   */
  apply(jobKey: string, sequence: number, fn: (tx: Repositories) => Promise<void>): Promise<boolean>;
  /** 0 when nothing was applied. */
  lastSequence(jobKey: string): Promise<number>;
}

/** What is kept of one run, at one moment. */
export interface Recollection {
  /** In the order in which they were first written down. */
  attempts: StageAttemptRow[];
  reports: StageReportRow[];
  /** By step. */
  samples: SampleRow[];
  artifacts: ArtifactRow[];
}

/** Everything kept in Postgres. */
export interface Database extends Repositories {
  /** The attempts, reports and newest samples of a run, and which artifacts of `keys` there are. */
  recall(runUid: string, keys: string[], samples: number): Promise<Recollection>;
  resources: ResourceRepository & {
    /**
     * Gives every resource there is as Added, then each change; changes in quick succession are merged into one.
     * Ends when `signal` aborts. Reconnects by itself.
     */
    watch(filter: { kind?: string; namespace?: string; signal: AbortSignal }): AsyncIterable<ResourceChange>;
  };
  reports: ReportRepository & {
    /** The notices of `stageReports.save`, whichever replica saved, until `signal` aborts. Some may be missed while Postgres is away. */
    watch(onNotice: (notice: JsonObject) => void, signal: AbortSignal): Promise<void>;
  };
  /** All of `fn` or nothing. */
  transaction<T>(fn: (tx: Repositories) => Promise<T>): Promise<T>;
  /** Throws when Postgres does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
