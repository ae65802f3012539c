import { z } from 'zod';
import { API_VERSION, datasetName, executionFields, objectMeta, type CrawlJobStatus, type StoredMeta } from './common.js';

export const LIBRARIES = ['bitmoji', 'bitstrips', 'cm'] as const;

const catalogJson = z.strictObject({
  categories: z.array(z.strictObject({ key: z.string().min(1).max(63), options: z.array(z.strictObject({ value: z.int() })).min(1).max(10_000) })).min(1).max(64),
});

const range = z.strictObject({ from: z.int(), to: z.int() }).refine((r) => r.to >= r.from, { message: 'to must not be below from', path: ['to'] });

export const catalogSource = z
  .strictObject({
    url: z.url({ protocol: /^https?$/ }).max(2048).optional(),
    inline: catalogJson.optional(),
    discover: z.record(z.string().min(1).max(63), range).optional(),
  })
  .refine((c) => [c.url, c.inline, c.discover].filter((v) => v !== undefined).length === 1, { message: 'exactly one of url, inline and discover must be set' });

export const crawlSource = z
  .strictObject({
    baseUrl: z.url({ protocol: /^https?$/ }).max(2048).describe('The avatar API, for example http://127.0.0.1:4010'),
    api: z.enum(['Legacy', 'Current']).default('Current'),
    library: z.enum(LIBRARIES).default('bitmoji'),
    gender: z.enum(['male', 'female', 'both']).default('both'),
    template: z.string().min(1).max(63).optional().describe("Legacy: the template's name (expression and pose)"),
    knownGood: z.record(z.string().min(1).max(63), z.int()).optional().describe('A call known to succeed: where discovery starts'),
    catalog: catalogSource.optional(),
  })
  .refine((s) => s.api !== 'Legacy' || s.template !== undefined, { message: 'is needed by the Legacy API', path: ['template'] })
  .refine((s) => s.catalog?.discover === undefined || s.knownGood !== undefined, { message: 'is needed to discover a catalog', path: ['knownGood'] });

export const crawlJobSpec = z.strictObject({
  source: crawlSource,
  sampling: z.strictObject({
    count: z.int().min(1).max(100_000_000),
    seed: z.int().min(0).max(2_147_483_647).default(1),
  }),
  image: z
    .strictObject({ width: z.int().min(16).max(1024).default(152), height: z.int().min(16).max(1024).default(152) })
    .prefault({}),
  politeness: z
    .strictObject({
      requestsPerSecond: z.int().min(1).max(10_000).default(10),
      concurrency: z.int().min(1).max(256).default(4),
      respectRobotsTxt: z.boolean().default(true),
      userAgent: z.string().min(1).max(256).default('caricature-crawler/0.1'),
      maxRetries: z.int().min(0).max(20).default(5),
      timeoutSeconds: z.int().min(1).max(600).default(30),
    })
    .prefault({}),
  output: z
    .strictObject({ dataset: datasetName.optional(), imagesPerShard: z.int().min(1).max(100_000).default(1000) })
    .prefault({}),
  parallelism: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('On a cluster: how many pods share the crawl. Each fetches its part of the shards at its part of the politeness; the last to be done makes them one data set'),
  ...executionFields,
});

export const crawlJob = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('CrawlJob'),
  metadata: objectMeta,
  spec: crawlJobSpec,
});

export type CrawlJobSpec = z.output<typeof crawlJobSpec>;
export type CrawlCatalog = z.output<typeof catalogJson>;

export interface CrawlJob {
  apiVersion: typeof API_VERSION;
  kind: 'CrawlJob';
  metadata: StoredMeta;
  spec: CrawlJobSpec;
  status?: CrawlJobStatus;
}
