import { z } from 'zod';

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

const environment = z
  .object({
    PORT: z.coerce.number().int().min(0).max(65_535).default(3100),
    HOST: z.string().min(1).default('127.0.0.1'),
    /** Whose aliases say which version is served. */
    CONTROLLER_URL: z.url().default('http://127.0.0.1:3000'),
    /** Bearer token for the controller, where it asks for one. */
    CONTROLLER_TOKEN: z.string().min(1).optional(),
    /** Root of the artifacts, for controllers that give artifacts without it. */
    ARTIFACTS_URI: z.url().optional(),
    /** Where models from S3 are kept. */
    MODELS_CACHE: z.string().min(1).default('/tmp/caricature-models'),
    /** The model when a request names none. */
    MODEL: z.string().regex(/^[a-z0-9-]+@[a-z0-9-]+$/, 'must be name@alias').default('caricature@staging'),
    MODELS_POLL_SECONDS: z.coerce.number().min(0.05).max(3600).default(5),
    /** Requests held at once, those in work included; more get 503. */
    MAX_QUEUE: z.coerce.number().int().min(1).max(10_000).default(32),
    MAX_BATCH: z.coerce.number().int().min(1).max(1024).default(16),
    /** When set, every request but health and metrics needs it as a bearer token. */
    API_TOKEN: z.string().min(8).optional(),
    /** Lets everybody on the network ask when there is no token. */
    ALLOW_ANONYMOUS: z.enum(['true', 'false']).default('false').transform((value) => value === 'true'),
  })
  .refine((env) => env.API_TOKEN !== undefined || env.ALLOW_ANONYMOUS || LOOPBACK.has(env.HOST), {
    path: ['API_TOKEN'],
    message: 'must be set when HOST is reachable from other machines (or set ALLOW_ANONYMOUS=true)',
  });

/** The inference server's settings, checked; the names are those of the environment's variables. */
export type InferenceEnv = z.output<typeof environment>;

/** Throws one error that names every variable to change. */
export function readInferenceEnv(values: Record<string, string | undefined> = process.env): InferenceEnv {
  const result = environment.safeParse(values);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`The environment cannot be used:\n  ${issues.join('\n  ')}`);
}
