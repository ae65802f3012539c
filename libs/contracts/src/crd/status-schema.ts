import {
  CONDITION_TYPES, PHASES, STAGE_NAMES, STAGE_STATES,
  type ArtifactRef, type Condition, type CrawlJobStatus, type Rollback, type SampleRef, type StageProgress, type StageStatus, type TrainingRunStatus,
} from '../common.js';
import type { OpenApiSchema } from './openapi.js';

/** As long as Kubernetes lets a condition's message be. */
const MESSAGE: OpenApiSchema = { type: 'string', maxLength: 32_768 };
const NAME: OpenApiSchema = { type: 'string', maxLength: 253 };
const URI: OpenApiSchema = { type: 'string', maxLength: 4096 };
const TIME: OpenApiSchema = { type: 'string', format: 'date-time', maxLength: 64 };
const COUNT: OpenApiSchema = { type: 'integer', format: 'int64', minimum: 0 };

const choice = (values: readonly string[]): OpenApiSchema => ({ type: 'string', enum: [...values] });

/** An object with every field of the interface: a field that is added there and not here does not compile. */
const object = <T>(properties: Record<keyof Required<T>, OpenApiSchema>, required: (keyof T & string)[] = []): OpenApiSchema => ({
  type: 'object',
  ...(required.length > 0 ? { required } : {}),
  properties,
});

const listMap = (items: OpenApiSchema, key: string, maxItems: number): OpenApiSchema => ({
  type: 'array',
  maxItems,
  items,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': [key],
});

const condition = object<Condition>(
  {
    type: choice(CONDITION_TYPES),
    status: choice(['True', 'False', 'Unknown']),
    // Not an enum: an older definition must not refuse the reason of a newer controller.
    reason: { type: 'string', minLength: 1, maxLength: 128, pattern: '^[A-Z][A-Za-z]*$' },
    message: MESSAGE,
    lastTransitionTime: TIME,
    observedGeneration: COUNT,
  },
  ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
);

const artifact = object<ArtifactRef>({ stage: NAME, key: NAME, digest: NAME, uri: URI });

const stage = object<StageStatus>(
  {
    name: choice(STAGE_NAMES),
    state: choice(STAGE_STATES),
    attempts: COUNT,
    cached: { type: 'boolean' },
    startTime: TIME,
    completionTime: TIME,
    progress: object<StageProgress>({ step: COUNT, totalSteps: COUNT, etaSeconds: { type: 'number', minimum: 0 } }),
    metrics: { type: 'object', description: 'The latest values, by name', maxProperties: 256, additionalProperties: { type: 'number' } },
    artifact,
    message: MESSAGE,
    rollback: object<Rollback>({ times: COUNT, toStep: COUNT, attempt: COUNT }),
  },
  ['name'],
);

const common = {
  observedGeneration: COUNT,
  phase: choice(PHASES),
  conditions: listMap(condition, 'type', 16),
  startTime: TIME,
  completionTime: TIME,
  stages: listMap(stage, 'name', 16),
};

export const crawlJobStatusSchema = object<CrawlJobStatus>({
  ...common,
  progress: object<NonNullable<CrawlJobStatus['progress']>>({ images: COUNT, duplicates: COUNT, failed: COUNT, bytes: COUNT }),
  combinations: { type: 'string', maxLength: 1024, description: 'A decimal string: the number exceeds 2^53' },
  dataset: artifact,
});

export const trainingRunStatusSchema = object<TrainingRunStatus>({
  ...common,
  model: object<NonNullable<TrainingRunStatus['model']>>({ name: NAME, version: COUNT }),
  samples: { type: 'array', maxItems: 1000, items: object<SampleRef>({ step: COUNT, digest: NAME, uri: URI }) },
});
