import { createHash } from 'node:crypto';
import { STAGE_VERSIONS, type StageConfig, type StageName } from '@caricature/contracts';

/**
 * Names a stage's output: SHA-256 over the stage and its version, its configuration and the digests of its inputs.
 * Two stages with the same key compute the same thing, so one of them is enough.
 */
export function stageKey(stage: StageName, config: StageConfig, inputs: Record<string, string>): string {
  return createHash('sha256')
    .update(canonicalJson({ stage, version: STAGE_VERSIONS[stage], config, inputs }))
    .digest('hex');
}

/** JSON with sorted keys and without undefined values: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((v) => canonicalJson(v ?? null)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`).join(',')}}`;
  }
  return JSON.stringify(value ?? null);
}

/** A name that the same attempt at the same stage always gets, so that creating it twice makes one job. */
export function jobName(resource: string, stage: StageName, attempt: number): string {
  return `${resource}-${stage}-${attempt}`;
}
