import type { ResourceOwner, StageAssignment, StageName } from '@caricature/contracts';
import { jobName, type Resource } from '@caricature/reconciler';
import type { WorkerPods } from '../jobs/job-manifest.js';

export function aWorkerPods(values: Partial<WorkerPods> = {}): WorkerPods {
  return {
    image: 'registry.example/worker:1',
    imagePullPolicy: 'IfNotPresent',
    imagePullSecrets: [],
    serviceAccount: 'caricature-worker',
    environment: {},
    controllerUrl: 'http://controller:3000',
    artifactsUri: 's3://artifacts',
    graceSeconds: 30,
    ...values,
  };
}

/** The assignment of one attempt at one stage of a resource. */
export function anAssignment({ kind, metadata: { namespace, name, uid } }: Resource, stage: StageName = 'crawl', attempt = 1): StageAssignment {
  const owner: ResourceOwner = { kind, namespace, name, uid };
  return { job: jobName(name, stage, attempt), stage, attempt, key: `key-of-${stage}`, owner, config: { answer: 42 }, pace: {}, inputs: {} };
}
