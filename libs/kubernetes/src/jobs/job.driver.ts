import type { V1Job, V1Pod } from '@kubernetes/client-node';
import type { ResourceOwner, StageAssignment } from '@caricature/contracts';
import { JobRefusedError, type Execution, type JobObservation, type PodDriver } from '@caricature/reconciler';
import { jobPath, podPath } from '../client/api-path.js';
import type { KubernetesClient } from '../client/kubernetes.client.js';
import { isKubernetesError } from '../client/kubernetes.error.js';
import type { ReflectorOptions } from '../watch/reflector.js';
import { CONTAINER, jobManifest, type WorkerPods } from './job-manifest.js';
import { jobRecord, observeJob } from './job-record.js';
import { JobTables } from './job-tables.js';
import { OWNER_UID } from './labels.js';
import { podRecord } from './pod-record.js';
import { obstacleOf } from './pod-refusal.js';
import { refusalOf } from './refusal.js';

export interface JobDriverOptions {
  client: KubernetesClient;
  namespaces: string[];
  pods: WorkerPods;
  log(line: string): void;
  watching?: Pick<ReflectorOptions<unknown>, 'watchSeconds' | 'relistMs' | 'onRestart'>;
}

/** Runs stages as Jobs. While `watch` runs, what there is is read from copies that follow the API server; before that, from the server. */
export class JobDriver implements PodDriver {
  private tables: JobTables | undefined;

  constructor(private readonly options: JobDriverOptions) {}

  async list(owner: ResourceOwner): Promise<JobObservation[]> {
    const { tables } = this;
    await tables?.synced();
    if (!tables) return this.listFromServer(owner);
    return tables.jobsOf(owner).map((job) => observeJob(job, tables.podsOf(job.uid), obstacleOf(tables.refusalsOf(job.uid))));
  }

  async create(assignment: StageAssignment, execution: Execution): Promise<void> {
    const { owner, job } = assignment;
    const manifest = jobManifest(assignment, execution, this.options.pods);
    try {
      const applied = await this.options.client.apply<V1Job>(jobPath(owner.namespace, job), manifest);
      this.tables?.put(applied);
    } catch (error) {
      // Applied before, by a controller that gave it another image, or admitted by its queue since: it is left as it is.
      if (isKubernetesError(error, 'Conflict', 'Invalid') && (await this.isOurs(owner, job))) return;
      throw refusalOf(error, owner.namespace) ?? error;
    }
  }

  /** Its pods are told to stop and have their grace period for a checkpoint; the Job is there until they are gone. */
  async stop(owner: ResourceOwner, job: string): Promise<void> {
    const known = this.tables?.jobsOf(owner).find((j) => j.name === job);
    if (known?.isDeleted) return;
    await this.options.client.delete(jobPath(owner.namespace, job), { propagationPolicy: 'Foreground', ...(known ? { preconditions: { uid: known.uid } } : {}) }).catch((error: unknown) => {
      if (!isKubernetesError(error, 'NotFound', 'Conflict')) throw error;
    });
  }

  /** Kubernetes removes what the resource owns. */
  forget(): Promise<void> {
    return Promise.resolve();
  }

  async log({ namespace }: ResourceOwner, job: string): Promise<string | undefined> {
    const { items } = await this.options.client.list<V1Pod>(podPath(namespace), { labelSelector: `job-name=${job}` });
    const pods = items.map(podRecord).sort((a, b) => a.createdAt.localeCompare(b.createdAt));
    const logs: string[] = [];
    for (const pod of pods) {
      const text = await this.options.client.text(`${podPath(namespace, pod.name)}/log`, { container: CONTAINER }).catch((error: unknown) => {
        // Its container has not begun, or its node is gone.
        if (isKubernetesError(error, 'NotFound', 'BadRequest', 'InternalError', 'ServiceUnavailable')) return undefined;
        throw error;
      });
      if (text) logs.push(pods.length > 1 ? `--- ${pod.name}\n${text}` : text);
    }
    return logs.length > 0 ? logs.join('') : undefined;
  }

  async watch(onChange: (owner: ResourceOwner) => void, signal: AbortSignal): Promise<void> {
    const { client, namespaces, log, watching } = this.options;
    this.tables = new JobTables({ client, namespaces: namespaces.length > 0 ? namespaces : [undefined], log, watching, onChange });
    await this.tables.run(signal);
    this.tables = undefined;
  }

  private async listFromServer(owner: ResourceOwner): Promise<JobObservation[]> {
    const selector = { labelSelector: `${OWNER_UID}=${owner.uid}` };
    const { client } = this.options;
    const [jobs, pods] = await Promise.all([client.list<V1Job>(jobPath(owner.namespace), selector), client.list<V1Pod>(podPath(owner.namespace), selector)]);
    const records = pods.items.map(podRecord);
    return jobs.items.flatMap((item) => {
      const job = jobRecord(item);
      return job ? [observeJob(job, records.filter((p) => p.jobUid === job.uid))] : [];
    });
  }

  private async isOurs(owner: ResourceOwner, name: string): Promise<boolean> {
    const job = await this.options.client.find<V1Job>(jobPath(owner.namespace, name));
    if (!job) return false;
    if (!job.metadata?.ownerReferences?.some((o) => o.uid === owner.uid)) {
      throw new JobRefusedError('NameTaken', `a Job ${name} that belongs to somebody else is there: delete it, or wait until it is gone`);
    }
    this.tables?.put(job);
    return true;
  }
}
