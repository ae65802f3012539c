import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '@caricature/database';
import { Connection, inspectCluster, JobDriver, KubernetesCatalog, KubernetesClient, KubernetesResourceStore, LeaderElection, loadKubeConfig, openNamespaces, WorkerTokens, type Fence } from '@caricature/kubernetes';
import type { ControllerMetrics } from '@caricature/metrics';
import type { KubernetesEnv } from '../kubernetes.env.js';
import type { Platform, Term } from './platform.js';
import { RecordedResourceStore } from './recorded-resource.store.js';
import { createSourceFingerprint } from './source-fingerprint.js';

const CHECK_AGAIN_MS = 5_000;
const FOLLOW_NAMESPACES_MS = 30_000;
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
  /** Of `namespaces`, those that can be worked in just now. */
  let usable = namespaces;

  const waitUntilUsable = async (signal: AbortSignal): Promise<void> => {
    for (let said = ''; !signal.aborted; await sleep(CHECK_AGAIN_MS, undefined, { signal }).catch(() => undefined)) {
      const found = await inspectCluster(client, env.podNamespace, namespaces).catch((error: unknown) => ({ problems: [String(error)], usable: [], without: [] }));
      problems = found.problems;
      for (const line of problems.length === 0 ? found.without : []) log(line);
      if (problems.length === 0) return void (usable = found.usable);
      const text = problems.join('\n  ');
      if (text !== said) log(`the cluster cannot be worked on yet:\n  ${text}`);
      said = text;
    }
  };
  /** Calls `onChange` when one of several namespaces is gone, or is there again. */
  const followNamespaces = async (onChange: () => void, signal: AbortSignal): Promise<void> => {
    while (namespaces.length > 1 && !signal.aborted) {
      await sleep(FOLLOW_NAMESPACES_MS, undefined, { signal }).catch(() => undefined);
      const open = await openNamespaces(client, namespaces).catch(() => usable);
      // With none at all, there is nothing to be begun anew.
      if (signal.aborted || open.length === 0 || String(open) === String(usable)) continue;
      log(`the namespaces that can be worked in have changed: ${open.join(', ')}`);
      usable = open;
      onChange();
    }
  };
  const termOf = (fence: Fence, signal: AbortSignal): Term => {
    const writing = client.fenced(fence);
    const store = new KubernetesResourceStore({ client: writing, namespaces: usable, log, watching });
    return { store: new RecordedResourceStore(store, database), driver: new JobDriver({ client: writing, namespaces: usable, pods, log, watching }), signal };
  };
  return {
    // One namespace that is gone must not hide what is in the others.
    catalog: new KubernetesCatalog({ client, get namespaces() { return usable; } }),
    driver: new JobDriver({ client, namespaces, pods, log }),
    access: {
      authenticate: async (job, token) => {
        const worker = await tokens.authenticate(job, token);
        return worker && { assignment: worker.assignment, id: `${job}/${worker.podUid}` };
      },
    },
    progressIntervalMs: PROGRESS_INTERVAL_MS,
    resyncMs: RESYNC_MS,
    // What a pod will see of a folder cannot be seen from here.
    folderFingerprint: createSourceFingerprint(() => Promise.resolve(undefined)),
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
      let changed = new AbortController();
      const following = followNamespaces(() => {
        changed.abort();
        changed = new AbortController();
      }, signal);
      await election.run((fence) => {
        const term = AbortSignal.any([fence.signal, changed.signal]);
        return work(termOf(fence, term));
      }, signal);
      await following;
    },
    problems: () => problems,
    listening: () => undefined,
    // Jobs go on without a controller.
    stopWorkers: () => Promise.resolve(),
    hurry: () => undefined,
    close: () => connection.close(),
  };
}
