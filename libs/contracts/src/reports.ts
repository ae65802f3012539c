import { z } from 'zod';
import { STAGE_NAMES } from './common.js';

/** One thing that a worker tells the controller. */
export const reportItem = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('progress'), step: z.int().min(0), totalSteps: z.int().min(0), etaSeconds: z.number().min(0).optional() }),
  z.strictObject({ type: z.literal('metrics'), step: z.int().min(0), at: z.iso.datetime(), values: z.record(z.string().min(1).max(64), z.number()) }),
  z.strictObject({ type: z.literal('sample'), step: z.int().min(0), digest: z.string(), uri: z.string() }),
  z.strictObject({ type: z.literal('counters'), values: z.record(z.string().min(1).max(64), z.number()) }),
  z.strictObject({
    type: z.literal('artifact'),
    digest: z.string(),
    uri: z.string(),
    bytes: z.number().min(0),
    from: z.array(z.string()),
    metadata: z.record(z.string(), z.unknown()),
  }),
  z.strictObject({ type: z.literal('failed'), code: z.string(), message: z.string(), retryable: z.boolean() }),
]);

/** A numbered bundle of items. A bundle whose number was already applied is acknowledged and not counted again. */
export const report = z.strictObject({
  job: z.string().min(1).max(253),
  stage: z.enum(STAGE_NAMES),
  sequence: z.int().min(1),
  items: z.array(reportItem).min(1).max(1000),
});

export type ReportItem = z.output<typeof reportItem>;
export type Report = z.output<typeof report>;
