import type { ResourceOwner, StageAssignment } from '@caricature/contracts';

export const MANAGED_BY = { 'app.kubernetes.io/managed-by': 'caricature', 'app.kubernetes.io/component': 'worker' };
export const MANAGED_SELECTOR = Object.entries(MANAGED_BY).map(([name, value]) => `${name}=${value}`).join(',');
export const OWNER_UID = 'caricature.dev/owner-uid';
export const OWNER_KIND = 'caricature.dev/kind';
export const OWNER_NAME = 'caricature.dev/name';
export const STAGE = 'caricature.dev/stage';
export const ATTEMPT = 'caricature.dev/attempt';
/** On the Job: the key of what the stage makes. */
export const KEY = 'caricature.dev/key';
/** On the pod: the JSON that the worker is started with; the downward API gives it as a file. */
export const ASSIGNMENT = 'caricature.dev/assignment';
export const QUEUE = 'kueue.x-k8s.io/queue-name';

/** What Jobs and their pods are found by. */
export function labelsOf({ owner, stage, attempt }: Pick<StageAssignment, 'owner' | 'stage' | 'attempt'>): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'caricature-worker',
    ...MANAGED_BY,
    [OWNER_KIND]: owner.kind,
    [OWNER_NAME]: owner.name,
    [OWNER_UID]: owner.uid,
    [STAGE]: stage,
    [ATTEMPT]: String(attempt),
  };
}

/** The resource that a Job or a pod works for, or undefined when it is not one of ours. */
export function ownerOf(namespace: string, labels: Record<string, string> = {}): ResourceOwner | undefined {
  const kind = labels[OWNER_KIND];
  const name = labels[OWNER_NAME];
  const uid = labels[OWNER_UID];
  return (kind === 'CrawlJob' || kind === 'TrainingRun') && name && uid ? { kind, namespace, name, uid } : undefined;
}
