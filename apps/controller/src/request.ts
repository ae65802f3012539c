import { namespaceName, objectName } from '@caricature/contracts';
import { z } from 'zod';

export const uuid = z.uuid();
export const digest = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex');
const text = z.string().min(1).max(253);

/** Names one resource in a path. Namespace and name become parts of the API server's own paths: neither may hold a slash or be `..`. */
export const resourcePath = z.object({ kind: text, namespace: namespaceName, name: objectName });
export const resourceFilter = z.object({ kind: text.optional(), namespace: namespaceName.optional() });
export const logQuery = z.object({ stage: text.optional(), attempt: z.coerce.number().int().min(1).optional() });
export const metricQuery = z.object({
  stage: text.optional(),
  names: z.string().max(4096).transform((names) => names.split(',').filter(Boolean)).optional(),
  maxPoints: z.coerce.number().int().min(10).max(5000).default(500),
  fromStep: z.coerce.number().int().min(0).optional(),
  toStep: z.coerce.number().int().min(0).optional(),
});
export const sampleStep = z.string().regex(/^\d{1,9}(\.png)?$/, 'must be a step, like 100.png').transform((step) => Number.parseInt(step, 10));
export const aliasName = z.string().min(1).max(63).regex(/^[a-z0-9-]+$/);
export const aliasTarget = z.strictObject({ version: z.int().min(1) });
