import type { V1Pod } from '@kubernetes/client-node';
import type { Obstacle } from '@caricature/reconciler';
import { CONTAINER } from './job-manifest.js';

/** What is remembered of a worker's pod. */
export interface PodRecord {
  name: string;
  uid: string;
  jobUid: string;
  phase: string;
  createdAt: string;
  /** Set while the container runs. */
  isRunning: boolean;
  isDeleted: boolean;
  exit?: { code: number; reason: string; tail: string; finishedAt?: string | undefined };
  /** Why Kubernetes took it away, if it did. */
  disruption?: string;
  /** What the pod itself says, for example that it was evicted. */
  message?: string;
  obstacle?: Obstacle;
}

const TAIL_LINES = 12;

/** Waiting reasons of a container whose image cannot be had. */
const IMAGE_REASONS = new Set(['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull', 'RegistryUnavailable', 'ImageInspectError']);
const CONFIG_REASONS = new Set(['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError']);

export function podRecord(pod: V1Pod): PodRecord {
  const { metadata = {}, status = {} } = pod;
  const state = status.containerStatuses?.find((c) => c.name === CONTAINER)?.state;
  const disruption = status.conditions?.find((c) => c.type === 'DisruptionTarget' && c.status === 'True');
  const obstacle = obstacleOf(pod);
  return {
    name: metadata.name!,
    uid: metadata.uid!,
    jobUid: metadata.ownerReferences?.find((o) => o.kind === 'Job')?.uid ?? '',
    phase: status.phase ?? 'Pending',
    createdAt: String(metadata.creationTimestamp),
    isRunning: state?.running !== undefined,
    isDeleted: metadata.deletionTimestamp !== undefined,
    ...(state?.terminated
      ? {
          exit: {
            code: state.terminated.exitCode,
            reason: state.terminated.reason ?? '',
            tail: lastLines(state.terminated.message ?? ''),
            finishedAt: state.terminated.finishedAt && String(state.terminated.finishedAt),
          },
        }
      : {}),
    ...(disruption ? { disruption: [disruption.reason, disruption.message].filter(Boolean).join(': ') } : {}),
    ...(status.message || status.reason ? { message: [status.reason, status.message].filter(Boolean).join(': ') } : {}),
    ...(obstacle ? { obstacle } : {}),
  };
}

function obstacleOf({ status = {} }: V1Pod): Obstacle | undefined {
  const waiting = status.containerStatuses?.find((c) => c.name === CONTAINER)?.state?.waiting;
  const said = [waiting?.reason, waiting?.message].filter(Boolean).join(': ');
  if (waiting?.reason && IMAGE_REASONS.has(waiting.reason)) {
    return { reason: 'ImageUnavailable', message: `the worker's image cannot be had (${said}): set CARICATURE_WORKER_IMAGE to one that the nodes can pull` };
  }
  if (waiting?.reason && CONFIG_REASONS.has(waiting.reason)) return { reason: 'PodMisconfigured', message: `the pod cannot start (${said})` };
  const unscheduled = status.conditions?.find((c) => c.type === 'PodScheduled' && c.status === 'False' && c.reason === 'Unschedulable');
  if (unscheduled) return { reason: 'Unschedulable', message: `no node takes the pod (${unscheduled.message ?? 'no reason given'}): free or add what it asks for, or change spec.resources, nodeSelector, tolerations in a new resource` };
  return undefined;
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
}
