import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '@caricature/database';
import { clusterProblems, Connection, JobDriver, KubernetesCatalog, KubernetesClient, KubernetesResourceStore, LeaderElection, loadKubeConfig, WorkerTokens, type Fence } from '@caricature/kubernetes';
import type { ControllerMetrics } from '@caricature/metrics';
import type { KubernetesEnv } from '../kubernetes.env.js';
import type { Platform, Term } from './platform.js';
import { RecordedResourceStore } from './recorded-resource.store.js';

const CHECK_AGAIN_MS = 5_000;
const PROGRESS_INTERVAL_MS = 5_000;
/** Jobs, pods and resources are followed by watches, which are themselves made anew when they fail. */
const RESYNC_MS = 60_000;

/** A cluster: resources in the API server, stages as Jobs, and of several replicas one that works on them. */
export function createKubernetesPlatform(env: KubernetesEnv, database: Database, metrics: ControllerMetrics, log: (line: string) => void): Platform {
  const { namespaces, pods } = env;
  const connection = new Connection(loadKubeConfig);
  const client = new KubernetesClient({ connection, onRequest: (verb, code) => metrics.apiRequests.inc({ verb, code: String(code) }) });
  const watching = { onRestart: (reason: string) => metrics.watchRestarts.inc({ reason }) };
  const tokens = new WorkerTokens(client, namespaces);
  let problems = ['the cluster has not been looked at yet'];

  const waitUntilUsable = async (signal: AbortSignal): Promise<void> => {
    for (let said = ''; !signal.aborted; await sleep(CHECK_AGAIN_MS, undefined, { signal }).catch(() => undefined)) {
      problems = await clusterProblems(client, env.podNamespace, namespaces).catch((error: unknown) => [String(error)]);
      if (problems.length === 0) return;
      const text = problems.join('\n  ');
      if (text !== said) log(`the cluster cannot be worked on yet:\n  ${text}`);
      said = text;
    }
  };
  const termOf = (fence: Fence): Term => {
    const writing = client.fenced(fence);
    const store = new KubernetesResourceStore({ client: writing, namespaces, log, watching });
    return { store: new RecordedResourceStore(store, database), driver: new JobDriver({ client: writing, namespaces, pods, log, watching }), signal: fence.signal };
  };
  return {
    catalog: new KubernetesCatalog({ client, namespaces }),
    driver: new JobDriver({ client, namespaces, pods, log }),
    access: {
      authenticate: async (job, token) => {
        const worker = await tokens.authenticate(job, token);
        return worker && { assignment: worker.assignment, id: `${job}/${worker.podUid}` };
      },
    },
    progressIntervalMs: PROGRESS_INTERVAL_MS,
    resyncMs: RESYNC_MS,
    // What a pod will see cannot be seen from here.
    folderFingerprint: () => Promise.resolve(undefined),
    operate: async (work, signal) => {
      await waitUntilUsable(signal);
      const election = new LeaderElection({
        client,
        namespace: env.podNamespace,
        name: env.leaseName,
        identity: `${env.podName}_${randomUUID().slice(0, 8)}`,
        log,
        onChange: (leads) => metrics.leader.set(leads ? 1 : 0),
      });
      await election.run((fence) => work(termOf(fence)), signal);
    },
    problems: () => problems,
    listening: () => undefined,
    // Jobs go on without a controller.
    stopWorkers: () => Promise.resolve(),
    hurry: () => undefined,
    close: () => connection.close(),
  };
}
