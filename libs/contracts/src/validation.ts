import type { z } from 'zod';
import { API_VERSION } from './common.js';
import { crawlJob, type CrawlJobSpec } from './crawl-job.js';
import { trainingRun, type TrainingRunSpec } from './training-run.js';

export const KINDS = { CrawlJob: crawlJob, TrainingRun: trainingRun } as const;
export type Kind = keyof typeof KINDS;

/** A resource as a user writes it, with every default filled in. */
export type ResourceManifest = z.output<typeof crawlJob> | z.output<typeof trainingRun>;

/** A resource that asks for something the schema does not allow. `fields` names each place and what is wrong with it. */
export class InvalidResourceError extends Error {
  readonly code = 'InvalidResource';
  readonly retryable = false;
  constructor(
    readonly subject: string,
    readonly fields: { field: string; message: string }[],
  ) {
    super(`${subject} is invalid: ${fields.map((f) => (f.field ? `${f.field}: ${f.message}` : f.message)).join('; ')}`);
    this.name = 'InvalidResourceError';
  }
}

/** The plural, lower-case and short names by which the commands take a kind. */
export const KIND_NAMES: Record<Kind, string[]> = {
  CrawlJob: ['crawljob', 'crawljobs', 'crawl'],
  TrainingRun: ['trainingrun', 'trainingruns', 'trun'],
};

/** The kind that a user means by `name`, or undefined. */
export function findKind(name: string): Kind | undefined {
  return (Object.keys(KINDS) as Kind[]).find((k) => k === name || KIND_NAMES[k].includes(name.toLowerCase()));
}

/**
 * Checks a parsed YAML document and fills in its defaults.
 * @throws InvalidResourceError naming every wrong field.
 */
export function parseResource(document: unknown): ResourceManifest {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new InvalidResourceError('The document', [{ field: '', message: 'must be a mapping with apiVersion, kind, metadata and spec' }]);
  }
  const { apiVersion, kind, metadata } = document as { apiVersion?: unknown; kind?: unknown; metadata?: { name?: unknown } };
  if (apiVersion !== API_VERSION) throw new InvalidResourceError('The document', [{ field: 'apiVersion', message: `must be ${API_VERSION}` }]);
  if (typeof kind !== 'string' || !(kind in KINDS)) {
    throw new InvalidResourceError('The document', [{ field: 'kind', message: `must be one of ${Object.keys(KINDS).join(', ')}` }]);
  }
  // What a server added to a resource that is read, edited and applied again is not the user's: it is left out, as kubectl does.
  const { status: _status, ...written } = document as Record<string, unknown>;
  const result = KINDS[kind as Kind].safeParse({ ...written, metadata: userMetadata(metadata) });
  if (result.success) return result.data;
  throw new InvalidResourceError(`${kind} ${typeof metadata?.name === 'string' ? metadata.name : '(no name)'}`, result.error.issues.flatMap(describeIssue));
}

function userMetadata(metadata: unknown): unknown {
  if (typeof metadata !== 'object' || metadata === null) return metadata;
  const { uid, generation, resourceVersion, creationTimestamp, managedFields, finalizers, deletionTimestamp, ...rest } = metadata as Record<string, unknown>;
  return rest;
}

function describeIssue(issue: z.core.$ZodIssue): { field: string; message: string }[] {
  const at = fieldPath(issue.path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ field: at ? `${at}.${key}` : key, message: 'unknown field' }));
  }
  return [{ field: at, message: issue.message.replace(/^Invalid input: /, '') }];
}

/** `spec.sampling.count`, `spec.tolerations[0].key`: as kubectl writes it. */
export function fieldPath(path: PropertyKey[]): string {
  return path.map((p, i) => (typeof p === 'number' ? `[${p}]` : i === 0 ? String(p) : `.${String(p)}`)).join('');
}

const MUTABLE_FIELDS = ['suspend', 'ttlSecondsAfterFinished', 'deletionPolicy', 'publish.alias'];

/**
 * The fields of a spec that may not change and did.
 * @returns their paths; empty when the change is allowed.
 */
export function immutableChanges(before: CrawlJobSpec | TrainingRunSpec, after: CrawlJobSpec | TrainingRunSpec): string[] {
  const changed: string[] = [];
  const walk = (a: unknown, b: unknown, path: string): void => {
    if (MUTABLE_FIELDS.includes(path)) return;
    if (isObject(a ?? b) && isObject(b ?? a)) {
      const [before, after] = [a ?? {}, b ?? {}] as Record<string, unknown>[];
      for (const key of new Set([...Object.keys(before!), ...Object.keys(after!)])) walk(before![key], after![key], path ? `${path}.${key}` : key);
    } else if (JSON.stringify(a) !== JSON.stringify(b)) {
      changed.push(`spec.${path}`);
    }
  };
  walk(before, after, '');
  return changed;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
