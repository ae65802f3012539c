import type { CoreV1Event, V1Job, V1Pod } from '@kubernetes/client-node';
import type { ResourceOwner } from '@caricature/contracts';
import { eventPath, jobPath, podPath } from '../client/api-path.js';
import type { KubernetesClient } from '../client/kubernetes.client.js';
import { Reflector, type ReflectorOptions } from '../watch/reflector.js';
import { jobRecord, type JobRecord } from './job-record.js';
import { MANAGED_SELECTOR } from './labels.js';
import { podRecord, type PodRecord } from './pod-record.js';
import { podRefusal, REFUSED_PODS, type PodRefusal } from './pod-refusal.js';

export interface JobTablesOptions {
  client: KubernetesClient;
  namespaces: (string | undefined)[];
  log(line: string): void;
  watching?: Partial<Pick<ReflectorOptions<unknown>, 'watchSeconds' | 'relistMs' | 'onRestart'>> | undefined;
  onChange(owner: ResourceOwner): void;
}

/** The Jobs of every resource, the pods of every Job and why it has none, as the API server has them now: found by owner without asking it. */
export class JobTables {
  private readonly jobs = new Index<JobRecord>();
  private readonly pods = new Index<PodRecord>();
  private readonly refusals = new Index<PodRefusal>();
  private readonly owners = new Map<string, ResourceOwner>();
  private readonly jobReflectors = new Map<string, Reflector<JobRecord | undefined>>();
  private readonly otherReflectors: Pick<Reflector<unknown>, 'run' | 'synced'>[] = [];

  constructor(private readonly options: JobTablesOptions) {
    for (const namespace of options.namespaces) {
      this.jobReflectors.set(namespace ?? '', this.reflectJobs(namespace));
      this.otherReflectors.push(this.reflectPods(namespace), this.reflectRefusals(namespace));
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.reflectors().map((reflector) => reflector.run(signal)));
  }

  /** Resolves once everything there was is in the tables. */
  async synced(): Promise<void> {
    await Promise.all(this.reflectors().map((reflector) => reflector.synced));
  }

  jobsOf(owner: ResourceOwner): JobRecord[] {
    return this.jobs.of(owner.uid);
  }

  podsOf(jobUid: string): PodRecord[] {
    return this.pods.of(jobUid).sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  }

  /** What the Job controller said when it could not make a pod. */
  refusalsOf(jobUid: string): PodRefusal[] {
    return this.refusals.of(jobUid);
  }

  /** Takes in what a write gave back. */
  put(job: V1Job): void {
    (this.jobReflectors.get(job.metadata?.namespace ?? '') ?? this.jobReflectors.get(''))?.put(job);
  }

  private reflectors(): Pick<Reflector<unknown>, 'run' | 'synced'>[] {
    return [...this.jobReflectors.values(), ...this.otherReflectors];
  }

  private reflectJobs(namespace: string | undefined): Reflector<JobRecord | undefined> {
    return new Reflector<JobRecord | undefined>({
      ...this.options.watching,
      ...this.source(jobPath(namespace)),
      labelSelector: MANAGED_SELECTOR,
      keep: (object) => jobRecord(object as V1Job),
      onChange: (_key, after, before) => {
        if (before && before.uid !== after?.uid) {
          this.jobs.remove(before.owner.uid, before.uid);
          this.owners.delete(before.uid);
        }
        if (after) {
          this.jobs.add(after.owner.uid, after.uid, after);
          this.owners.set(after.uid, after.owner);
        }
        const owner = after?.owner ?? before?.owner;
        if (owner) this.options.onChange(owner);
      },
    });
  }

  private reflectPods(namespace: string | undefined): Reflector<PodRecord> {
    return new Reflector<PodRecord>({
      ...this.options.watching,
      ...this.source(podPath(namespace)),
      labelSelector: MANAGED_SELECTOR,
      keep: (object) => podRecord(object as V1Pod),
      onChange: (_key, after, before) => {
        if (before && before.uid !== after?.uid) this.pods.remove(before.jobUid, before.uid);
        if (after) this.pods.add(after.jobUid, after.uid, after);
        const owner = this.owners.get((after ?? before)!.jobUid);
        if (owner) this.options.onChange(owner);
      },
    });
  }

  private reflectRefusals(namespace: string | undefined): Reflector<PodRefusal> {
    return new Reflector<PodRefusal>({
      ...this.options.watching,
      ...this.source(eventPath(namespace)),
      fieldSelector: REFUSED_PODS,
      keep: (object) => podRefusal(object as CoreV1Event),
      onChange: (key, after, before) => {
        if (before) this.refusals.remove(before.jobUid, key);
        if (after) this.refusals.add(after.jobUid, key, after);
        const owner = this.owners.get((after ?? before)!.jobUid);
        if (owner) this.options.onChange(owner);
      },
    });
  }

  private source(path: string) {
    return { client: this.options.client, path, log: this.options.log };
  }
}

/** Values by a group that they belong to. */
class Index<T> {
  private readonly groups = new Map<string, Map<string, T>>();

  of(group: string): T[] {
    return [...(this.groups.get(group)?.values() ?? [])];
  }

  add(group: string, id: string, value: T): void {
    const values = this.groups.get(group) ?? new Map<string, T>();
    this.groups.set(group, values.set(id, value));
  }

  remove(group: string, id: string): void {
    const values = this.groups.get(group);
    values?.delete(id);
    if (values?.size === 0) this.groups.delete(group);
  }
}
