import { z } from 'zod';

/** The API group and version of every custom resource. */
export const API_VERSION = 'caricature.dev/v1alpha1';

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_RULE = 'must be lower-case letters, digits and dashes, starting and ending with a letter or digit';
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** A Kubernetes object name that is short enough for the Jobs derived from it. */
export const resourceName = z.string().min(1).max(40).regex(DNS_LABEL, LABEL_RULE);

/** A Kubernetes namespace. */
export const namespaceName = z.string().min(1).max(63).regex(DNS_LABEL, LABEL_RULE);

/** Any Kubernetes object name: asking for one is no error, however long, though ours are shorter. */
export const objectName = z.string().min(1).max(253).regex(DNS_SUBDOMAIN, 'must be lower-case letters, digits, dashes and dots, starting and ending with a letter or digit');

export const objectMeta = z.strictObject({
  name: resourceName,
  namespace: namespaceName.default('default'),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});

/** What the store adds to the metadata that a user writes. */
export interface StoredMeta {
  name: string;
  namespace: string;
  uid: string;
  generation: number;
  resourceVersion: string;
  creationTimestamp: string;
  deletionTimestamp?: string;
  finalizers?: string[];
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

const quantity = z.union([z.string().max(32), z.number()]);
const resourceList = z.record(z.string().max(253), quantity);

export const containerResources = z
  .strictObject({ requests: resourceList.optional(), limits: resourceList.optional() })
  .describe("The stage container's requests and limits, as in a Pod");

export const toleration = z.strictObject({
  key: z.string().max(316).optional(),
  operator: z.enum(['Exists', 'Equal']).optional(),
  value: z.string().max(63).optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
  tolerationSeconds: z.int().optional(),
});

/** What becomes of a resource's artifacts when it is deleted. */
export const DELETION_POLICIES = ['Retain', 'Delete'] as const;

/** The fields that both kinds share: how their stages are run. */
export const executionFields = {
  resources: containerResources.optional(),
  nodeSelector: z.record(z.string().max(316), z.string().max(63)).optional(),
  tolerations: z.array(toleration).max(16).optional(),
  priorityClassName: z.string().max(253).optional(),
  queueName: z.string().max(253).optional().describe('The Kueue queue that admits the Jobs'),
  suspend: z.boolean().default(false).describe('Stop the stages, keeping their checkpoints, until set back'),
  backoffLimit: z.int().min(0).max(100).default(3).describe('How often a failed stage is tried again'),
  activeDeadlineSeconds: z.int().min(1).max(31_536_000).optional(),
  ttlSecondsAfterFinished: z.int().min(0).max(31_536_000).optional(),
  deletionPolicy: z.enum(DELETION_POLICIES).default('Retain').describe('What becomes of its artifacts when it is deleted. Delete: they are removed, but for those that another resource or a model refers to'),
};

/** The name of a data set kept by the platform. */
export const datasetName = z.string().min(1).max(63).regex(DNS_LABEL);

export const PHASES = ['Pending', 'Running', 'Suspended', 'Succeeded', 'Failed'] as const;
export type Phase = (typeof PHASES)[number];

/** What can be wrong with a training while it goes on: the conditions of a TrainingRun only. */
export const HEALTH_CONDITIONS = ['Diverged', 'DiscriminatorDominating', 'ModeCollapseSuspected'] as const;
export type HealthCondition = (typeof HEALTH_CONDITIONS)[number];

export const CONDITION_TYPES = ['Accepted', 'Progressing', 'Succeeded', 'Failed', 'Suspended', ...HEALTH_CONDITIONS] as const;
export type ConditionType = (typeof CONDITION_TYPES)[number];

/** Every reason a condition or an event can carry: a part of the API. */
export const REASONS = [
  'Accepted', 'WaitingForInput', 'InputFailed', 'WaitingForRetry', 'StageRunning', 'StageStarted', 'StageSucceeded', 'StageCached', 'StageFailed', 'StageRetried',
  'StageInterrupted', 'Publishing', 'AllStagesSucceeded', 'BackoffLimitExceeded', 'InvalidConfiguration', 'DeadlineExceeded', 'Suspended', 'NotSuspended', 'NotFinished', 'NotFailed',
  'ImageUnavailable', 'JobRefused', 'NameTaken', 'NamespaceTerminating', 'PodMisconfigured', 'PodRefused', 'QuotaExceeded', 'Unschedulable', 'WaitingForQueue',
  'ArtifactsRemoved', 'ArtifactsKept', 'Healthy', 'NotObserved', 'LossNotFinite', 'LossGrows', 'DiscriminatorAlwaysRight', 'SamplesAlike', 'TrainingUnhealthy', 'RolledBack',
] as const;
export type Reason = (typeof REASONS)[number];

export interface Condition {
  type: ConditionType;
  status: 'True' | 'False' | 'Unknown';
  reason: Reason;
  message: string;
  lastTransitionTime: string;
  observedGeneration: number;
}

export const STAGE_STATES = ['Pending', 'Running', 'Succeeded', 'Failed'] as const;
export type StageState = (typeof STAGE_STATES)[number];

export interface StageProgress {
  step: number;
  totalSteps: number;
  etaSeconds?: number;
}

/** Points at a finished artifact: a prefix in the artifact store and the digest of its files. */
export interface ArtifactRef {
  stage: string;
  key: string;
  digest: string;
  uri: string;
}

export interface StageStatus {
  name: StageName;
  state: StageState;
  attempts: number;
  cached: boolean;
  startTime?: string;
  completionTime?: string;
  progress?: StageProgress;
  metrics?: Record<string, number>;
  artifact?: ArtifactRef;
  message?: string;
  rollback?: Rollback;
}

/** A training that went wrong goes on from an earlier checkpoint, more slowly. */
export interface Rollback {
  /** How often it was rolled back so far: the learning rate is halved each time. */
  times: number;
  /** The newest step whose weights may be gone on from. */
  toStep: number;
  /** The attempt that does it. */
  attempt: number;
}

export const STAGE_NAMES = ['discover', 'crawl', 'prepare-faces', 'prepare-avatars', 'pretrain', 'train', 'evaluate', 'publish'] as const;
export type StageName = (typeof STAGE_NAMES)[number];

interface CommonStatus {
  observedGeneration: number;
  phase: Phase;
  conditions: Condition[];
  startTime?: string;
  completionTime?: string;
  stages: StageStatus[];
}

export interface CrawlJobStatus extends CommonStatus {
  progress?: { images: number; duplicates: number; failed: number; bytes: number };
  /** A decimal string: the number of combinations exceeds 2^53. */
  combinations?: string;
  dataset?: ArtifactRef;
}

export interface SampleRef {
  step: number;
  digest: string;
  uri: string;
}

export interface TrainingRunStatus extends CommonStatus {
  model?: { name: string; version: number };
  samples?: SampleRef[];
}
