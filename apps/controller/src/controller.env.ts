import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { kubernetesEnv, kubernetesVariables, type KubernetesEnv } from './kubernetes.env.js';

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

const environment = z
  .object({
    /** Where stages run: child processes here, or Jobs of the cluster. */
    CARICATURE_PLATFORM: z.enum(['local', 'kubernetes']).default('local'),
    PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
    HOST: z.string().min(1).default('127.0.0.1'),
    /** Where everything is kept that is not given an address of its own. */
    CARICATURE_HOME: z.string().min(1).default('.caricature'),
    /** A PostgreSQL of one's own; an embedded one is started when unset. */
    CARICATURE_DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
    CARICATURE_ARTIFACTS_URI: z.string().regex(/^(file|s3):\/\//, 'must begin with file:// or s3://').optional(),
    /** When set, everything but health, metrics and the page itself needs it as a bearer token. */
    CARICATURE_API_TOKEN: z.string().min(8).optional(),
  })
  .refine((env) => env.CARICATURE_API_TOKEN !== undefined || LOOPBACK.has(env.HOST), {
    path: ['CARICATURE_API_TOKEN'],
    message: 'must be set when HOST is reachable from other machines',
  });

/** The controller's settings, checked. */
export interface ControllerEnv {
  port: number;
  host: string;
  /** An absolute folder. */
  home: string;
  databaseUrl?: string | undefined;
  artifactsUri: string;
  apiToken?: string | undefined;
  /** What every worker is given of this process's environment. */
  workerEnvironment: Record<string, string>;
  /** Set where stages run on a cluster. */
  kubernetes?: KubernetesEnv | undefined;
}

/** What a worker needs to reach the artifact store and to behave on this machine: nothing else is passed on. */
const PASSED_ON = [
  'CARICATURE_S3_ENDPOINT', 'AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL', 'AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE', 'AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_ROLE_ARN', 'AWS_ROLE_SESSION_NAME', 'AWS_WEB_IDENTITY_TOKEN_FILE',
  'CARICATURE_BACKEND', 'CARICATURE_COMPILE', 'OMP_NUM_THREADS', 'TF_NUM_INTRAOP_THREADS', 'TF_NUM_INTEROP_THREADS', 'LD_LIBRARY_PATH', 'CUDA_VISIBLE_DEVICES', 'NODE_EXTRA_CA_CERTS', 'TMPDIR',
];

/** Throws one error that names every variable to change. */
export function readControllerEnv(values: Record<string, string | undefined> = process.env): ControllerEnv {
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
  const onCluster = given['CARICATURE_PLATFORM'] === 'kubernetes';
  const result = environment.safeParse(given);
  const cluster = onCluster ? kubernetesVariables.safeParse(given) : undefined;
  const issues = [...(result.error?.issues ?? []), ...(cluster?.error?.issues ?? [])];
  if (!result.success || cluster?.success === false) {
    throw new Error(`The environment cannot be used:\n  ${issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n  ')}`);
  }
  const env = result.data;
  const home = resolve(env.CARICATURE_HOME);
  const passed = PASSED_ON.flatMap((name) => (values[name] ? [[name, values[name]]] : []));
  return {
    port: env.PORT,
    host: env.HOST,
    home,
    databaseUrl: env.CARICATURE_DATABASE_URL,
    artifactsUri: (env.CARICATURE_ARTIFACTS_URI ?? pathToFileURL(join(home, 'artifacts')).href).replace(/\/+$/, ''),
    apiToken: env.CARICATURE_API_TOKEN,
    workerEnvironment: { TF_CPP_MIN_LOG_LEVEL: '2', HOME: homedir(), ...Object.fromEntries(passed) },
    kubernetes: cluster?.data && kubernetesEnv(cluster.data),
  };
}

export function isLoopback(host: string): boolean {
  return LOOPBACK.has(host);
}
