import type { V1Container, V1EnvVar, V1Job, V1PodSpec, V1Volume } from '@kubernetes/client-node';
import { API_VERSION, type StageAssignment } from '@caricature/contracts';
import { JobRefusedError, type Execution } from '@caricature/reconciler';
import { ASSIGNMENT, KEY, labelsOf, QUEUE } from './labels.js';

/** What every worker pod has in common. */
export interface WorkerPods {
  image: string;
  /** For stages that ask for a GPU; `image` unless told. */
  gpuImage?: string | undefined;
  imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  imagePullSecrets: string[];
  /** Replaces the image's entry point. */
  command?: string[] | undefined;
  serviceAccount: string;
  /** A Secret beside the resource whose keys become environment variables. */
  secret?: string | undefined;
  environment: Record<string, string>;
  controllerUrl: string;
  artifactsUri: string;
  /** How long a stopped worker may take for its checkpoint. */
  graceSeconds: number;
  /** The most that a worker may keep on its node's disk. */
  scratchSize?: string | undefined;
}

/** The audience of workers' tokens: the API server itself does not accept them. */
export const TOKEN_AUDIENCE = 'caricature';
export const CONTAINER = 'stage';

/** A finished Job is removed by Kubernetes after this long; how it ended is in Postgres by then, its log in the artifact store. */
const KEPT_AFTER_END_SECONDS = 3_600;
const TOKEN_SECONDS = 3_600;
const USER = 65_532;
/** An object's annotations together hold 256 KiB. */
const LARGEST_ASSIGNMENT = 240 * 1024;

const SCRATCH = '/var/lib/caricature';
const ASSIGNMENT_DIR = '/etc/caricature';
const TOKEN_DIR = '/var/run/secrets/caricature';

/** The worker's exit codes that say what to do about it. 143 is SIGTERM before the worker heeded it. */
const IMPOSSIBLE = 64;
const INTERRUPTED = [75, 143];

/** The Job of one attempt at one stage, complete: applying it again changes nothing. */
export function jobManifest(assignment: StageAssignment, execution: Execution, pods: WorkerPods): V1Job {
  const { owner, job, key } = assignment;
  const parallelism = execution.parallelism ?? 1;
  const text = JSON.stringify(assignment);
  if (Buffer.byteLength(text) > LARGEST_ASSIGNMENT) {
    throw new JobRefusedError('InvalidConfiguration', `the configuration of stage ${assignment.stage} takes ${Buffer.byteLength(text)} bytes and a pod can be given ${LARGEST_ASSIGNMENT}: give a long catalog by its url`);
  }
  const labels = labelsOf(assignment);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: job,
      namespace: owner.namespace,
      labels: { ...labels, ...(execution.queueName ? { [QUEUE]: execution.queueName } : {}) },
      annotations: { [KEY]: key },
      ownerReferences: [{ apiVersion: API_VERSION, kind: owner.kind, name: owner.name, uid: owner.uid, controller: true, blockOwnerDeletion: true }],
    },
    spec: {
      // Attempts are counted by the resource: a failure ends the Job, and the next attempt is another one.
      backoffLimit: 0,
      podReplacementPolicy: 'Failed',
      podFailurePolicy: {
        rules: [
          { action: 'FailJob', onExitCodes: { containerName: CONTAINER, operator: 'In', values: [IMPOSSIBLE] } },
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          { action: 'Ignore', onExitCodes: { containerName: CONTAINER, operator: 'In', values: INTERRUPTED } },
        ],
      },
      ...(parallelism > 1 ? { completionMode: 'Indexed', completions: parallelism, parallelism } : {}),
      ...(execution.activeDeadlineSeconds ? { activeDeadlineSeconds: execution.activeDeadlineSeconds } : {}),
      ttlSecondsAfterFinished: KEPT_AFTER_END_SECONDS,
      // Whoever owns the queue admits it.
      ...(execution.queueName ? { suspend: true } : {}),
      template: { metadata: { labels, annotations: { [ASSIGNMENT]: text } }, spec: podSpec(assignment, execution, pods) },
    },
  };
}

function podSpec(assignment: StageAssignment, execution: Execution, pods: WorkerPods): V1PodSpec {
  const { nodeSelector, tolerations, priorityClassName } = execution;
  return {
    restartPolicy: 'Never',
    serviceAccountName: pods.serviceAccount,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: pods.graceSeconds,
    securityContext: { runAsNonRoot: true, runAsUser: USER, runAsGroup: USER, fsGroup: USER, seccompProfile: { type: 'RuntimeDefault' } },
    ...(pods.imagePullSecrets.length > 0 ? { imagePullSecrets: pods.imagePullSecrets.map((name) => ({ name })) } : {}),
    ...(nodeSelector ? { nodeSelector } : {}),
    ...(tolerations ? { tolerations } : {}),
    ...(priorityClassName ? { priorityClassName } : {}),
    containers: [container(assignment, execution, pods)],
    volumes: volumes(pods),
  };
}

function container(assignment: StageAssignment, { resources, parallelism }: Execution, pods: WorkerPods): V1Container {
  return {
    name: CONTAINER,
    image: asksForGpu(resources) ? (pods.gpuImage ?? pods.image) : pods.image,
    imagePullPolicy: pods.imagePullPolicy,
    ...(pods.command ? { command: pods.command } : {}),
    args: [assignment.stage, '--assignment', `${ASSIGNMENT_DIR}/assignment.json`],
    env: environment(pods, parallelism),
    ...(pods.secret ? { envFrom: [{ secretRef: { name: pods.secret } }] } : {}),
    ...(resources ? { resources: { ...quantities('requests', resources.requests), ...quantities('limits', resources.limits) } } : {}),
    // The end of the log goes into the pod's status, where it outlives the container.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    volumeMounts: [
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'scratch', mountPath: SCRATCH },
      { name: 'assignment', mountPath: ASSIGNMENT_DIR, readOnly: true },
      { name: 'token', mountPath: TOKEN_DIR, readOnly: true },
    ],
  };
}

function environment(pods: WorkerPods, parallelism = 1): V1EnvVar[] {
  const values: Record<string, string> = {
    ...pods.environment,
    HOME: '/tmp',
    TMPDIR: '/tmp',
    TF_CPP_MIN_LOG_LEVEL: '2',
    CARICATURE_CONTROLLER_URL: pods.controllerUrl,
    CARICATURE_ARTIFACTS_URI: pods.artifactsUri,
    CARICATURE_SCRATCH: `${SCRATCH}/scratch`,
    CARICATURE_SPOOL: `${SCRATCH}/spool`,
    CARICATURE_TOKEN_FILE: `${TOKEN_DIR}/token`,
    CARICATURE_KEEP_LOG: 'true',
    // Kubernetes itself says in JOB_COMPLETION_INDEX which of them a pod is.
    CARICATURE_PARTS: String(parallelism),
  };
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}

function volumes(pods: WorkerPods): V1Volume[] {
  return [
    { name: 'tmp', emptyDir: {} },
    { name: 'scratch', emptyDir: pods.scratchSize ? { sizeLimit: pods.scratchSize } : {} },
    { name: 'assignment', downwardAPI: { items: [{ path: 'assignment.json', fieldRef: { fieldPath: `metadata.annotations['${ASSIGNMENT}']` } }] } },
    { name: 'token', projected: { sources: [{ serviceAccountToken: { audience: TOKEN_AUDIENCE, expirationSeconds: TOKEN_SECONDS, path: 'token' } }] } },
  ];
}

function asksForGpu(resources: Execution['resources']): boolean {
  return Object.entries({ ...resources?.requests, ...resources?.limits }).some(([name, count]) => name.endsWith('/gpu') && Number(count) > 0);
}

function quantities(name: 'requests' | 'limits', values: Record<string, string | number> | undefined): Record<string, Record<string, string>> {
  return values ? { [name]: Object.fromEntries(Object.entries(values).map(([resource, quantity]) => [resource, String(quantity)])) } : {};
}
