import { hostname } from 'node:os';
import { z } from 'zod';
import type { WorkerPods } from '@caricature/kubernetes';

/** How the controller works on a cluster. */
export interface KubernetesEnv {
  /** The namespaces worked in; all when there are none. */
  namespaces: string[];
  podName: string;
  podNamespace: string;
  leaseName: string;
  pods: WorkerPods;
}

const list = z.string().default('').transform((text) => text.split(',').map((part) => part.trim()).filter(Boolean));
const json = <T extends z.ZodType>(schema: T) => z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'must be JSON' });
    return z.NEVER;
  }
}).pipe(schema);

/** Read only where CARICATURE_PLATFORM is kubernetes. */
export const kubernetesVariables = z.object({
  CARICATURE_NAMESPACES: list,
  CARICATURE_WORKER_IMAGE: z.string({ error: 'must name the image of the workers' }).min(1),
  CARICATURE_WORKER_GPU_IMAGE: z.string().min(1).optional(),
  CARICATURE_WORKER_IMAGE_PULL_POLICY: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent'),
  CARICATURE_WORKER_IMAGE_PULL_SECRETS: list,
  /** A JSON array that replaces the image's entry point. */
  CARICATURE_WORKER_COMMAND: json(z.array(z.string()).min(1)).optional(),
  CARICATURE_WORKER_SERVICE_ACCOUNT: z.string().min(1).default('caricature-worker'),
  CARICATURE_WORKER_SECRET: z.string().min(1).optional(),
  CARICATURE_WORKER_ENV: json(z.record(z.string(), z.string())).default({}),
  CARICATURE_WORKER_GRACE_SECONDS: z.coerce.number().int().min(1).max(3600).default(120),
  CARICATURE_WORKER_SCRATCH_SIZE: z.string().min(1).optional(),
  CARICATURE_PUBLIC_URL: z.url({ protocol: /^https?$/, error: 'must be the address by which worker pods reach this controller' }),
  CARICATURE_DATABASE_URL: z.string({ error: 'must be set: on a cluster no database is embedded' }),
  CARICATURE_ARTIFACTS_URI: z.string({ error: 'must be set, to s3://bucket/prefix' }).regex(/^s3:\/\//, 'must begin with s3://: pods on other nodes cannot see a folder here'),
  CARICATURE_LEASE_NAME: z.string().min(1).default('caricature-controller'),
  POD_NAME: z.string().min(1).default(hostname()),
  POD_NAMESPACE: z.string().min(1).default('default'),
});

export function kubernetesEnv(env: z.output<typeof kubernetesVariables>): KubernetesEnv {
  return {
    namespaces: env.CARICATURE_NAMESPACES,
    podName: env.POD_NAME,
    podNamespace: env.POD_NAMESPACE,
    leaseName: env.CARICATURE_LEASE_NAME,
    pods: {
      image: env.CARICATURE_WORKER_IMAGE,
      gpuImage: env.CARICATURE_WORKER_GPU_IMAGE,
      imagePullPolicy: env.CARICATURE_WORKER_IMAGE_PULL_POLICY,
      imagePullSecrets: env.CARICATURE_WORKER_IMAGE_PULL_SECRETS,
      command: env.CARICATURE_WORKER_COMMAND,
      serviceAccount: env.CARICATURE_WORKER_SERVICE_ACCOUNT,
      secret: env.CARICATURE_WORKER_SECRET,
      environment: env.CARICATURE_WORKER_ENV,
      controllerUrl: env.CARICATURE_PUBLIC_URL,
      artifactsUri: env.CARICATURE_ARTIFACTS_URI.replace(/\/+$/, ''),
      graceSeconds: env.CARICATURE_WORKER_GRACE_SECONDS,
      scratchSize: env.CARICATURE_WORKER_SCRATCH_SIZE,
    },
  };
}
