import { createHash } from 'node:crypto';
import type { V1Job, V1Pod, V1TokenReview } from '@kubernetes/client-node';
import type { StageAssignment } from '@caricature/contracts';
import { jobPath, podPath } from '../client/api-path.js';
import type { KubernetesClient } from '../client/kubernetes.client.js';
import { TOKEN_AUDIENCE } from '../jobs/job-manifest.js';
import { ASSIGNMENT } from '../jobs/labels.js';

/** A worker's pod and what it was started for. */
export interface WorkerPod {
  assignment: StageAssignment;
  podUid: string;
}

const REVIEW = '/apis/authentication.k8s.io/v1/tokenreviews';
const POD_NAME = 'authentication.kubernetes.io/pod-name';
const POD_UID = 'authentication.kubernetes.io/pod-uid';
const TRUSTED_MS = 60_000;
const MOST_REMEMBERED = 10_000;

/**
 * Knows workers by the tokens of their ServiceAccount. A token is bound to its pod and made for this audience alone; the pod must belong to
 * a Job that belongs to the resource that the report is of, so a worker speaks for its own stage only.
 */
export class WorkerTokens {
  private readonly known = new Map<string, { worker: WorkerPod; until: number }>();

  constructor(
    private readonly client: KubernetesClient,
    private readonly namespaces: string[],
  ) {}

  /** The worker of this job whose token it is, or undefined. */
  async authenticate(job: string, token: string): Promise<WorkerPod | undefined> {
    if (!token) return undefined;
    const id = createHash('sha256').update(token).digest('base64');
    const known = this.known.get(id);
    if (known && known.until > performance.now()) return known.worker.assignment.job === job ? known.worker : undefined;
    const worker = await this.review(token);
    if (worker) this.remember(id, worker);
    return worker?.assignment.job === job ? worker : undefined;
  }

  private async review(token: string): Promise<WorkerPod | undefined> {
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences: [TOKEN_AUDIENCE] } };
    const { status } = await this.client.ask<V1TokenReview>(REVIEW, review);
    if (!status?.authenticated || !status.audiences?.includes(TOKEN_AUDIENCE)) return undefined;
    const [, , namespace] = /^system:serviceaccount:/.test(status.user?.username ?? '') ? status.user!.username!.split(':') : [];
    const [podName, podUid] = [status.user?.extra?.[POD_NAME]?.[0], status.user?.extra?.[POD_UID]?.[0]];
    if (!namespace || !podName || !podUid || (this.namespaces.length > 0 && !this.namespaces.includes(namespace))) return undefined;
    return this.workerOf(namespace, podName, podUid);
  }

  private async workerOf(namespace: string, podName: string, podUid: string): Promise<WorkerPod | undefined> {
    const pod = await this.client.find<V1Pod>(podPath(namespace, podName));
    const owner = pod?.metadata?.ownerReferences?.find((o) => o.controller && o.kind === 'Job');
    if (pod?.metadata?.uid !== podUid || !owner) return undefined;
    const job = await this.client.find<V1Job>(jobPath(namespace, owner.name));
    const text = job?.spec?.template.metadata?.annotations?.[ASSIGNMENT];
    if (job?.metadata?.uid !== owner.uid || !text) return undefined;
    const assignment = JSON.parse(text) as StageAssignment;
    const isOwned = job.metadata.ownerReferences?.some((o) => o.controller && o.uid === assignment.owner.uid && o.kind === assignment.owner.kind);
    return isOwned && assignment.job === owner.name && assignment.owner.namespace === namespace ? { assignment, podUid } : undefined;
  }

  private remember(id: string, worker: WorkerPod): void {
    if (this.known.size >= MOST_REMEMBERED) this.known.delete(this.known.keys().next().value!);
    this.known.set(id, { worker, until: performance.now() + TRUSTED_MS });
  }
}
