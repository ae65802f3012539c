import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '@caricature/tensors';
import type { Manifest } from '../../charts/chart.js';
import { callApi, type Access } from '../api.mjs';
import type { OwnNode, Role } from '../own-node.js';

/** What there is to interrupt with. */
export interface Reach {
  node: OwnNode;
  access: Access;
  namespace: string;
  random: Random;
}

export interface Interruption {
  name: string;
  /** How often it is chosen beside the others. */
  weight: number;
  /** Whether it can end an attempt at a stage, so that another is made. */
  endsAttempts: boolean;
  /** Does it, and says to whom; undefined when there was nobody just now. */
  strike(reach: Reach): Promise<string | undefined>;
}

/** One process of a role, at once and without a word. */
const killed = (name: string, role: Role, weight: number, endsAttempts = false, signal: NodeJS.Signals = 'SIGKILL'): Interruption => ({
  name,
  weight,
  endsAttempts,
  strike: async ({ node, random }) => {
    const victims = (await node.processes()).filter((each) => each.role === role);
    const victim = victims[Math.floor(random.uniform() * victims.length)];
    return victim && node.kill(victim.pid, signal) ? `process ${victim.pid}` : undefined;
  },
});

/** What Kubernetes' API is asked to do to a worker's pod. */
const asked = (name: string, weight: number, ask: (reach: Reach, pod: string) => Promise<unknown>, endsAttempts = false): Interruption => ({
  name,
  weight,
  endsAttempts,
  strike: async (reach) => {
    const pods = (await workerPods(reach)).filter(({ status, metadata }) => status.phase === 'Running' && !('deletionTimestamp' in metadata));
    const pod = pods[Math.floor(reach.random.uniform() * pods.length)]?.metadata.name;
    if (pod) await ask(reach, pod);
    return pod;
  },
});

const podPath = ({ namespace }: Reach, pod: string) => `/api/v1/namespaces/${namespace}/pods/${pod}`;

export const INTERRUPTIONS: Interruption[] = [
  killed('controller killed', 'controller', 20),
  {
    name: 'leader killed',
    weight: 12,
    endsAttempts: false,
    strike: async (reach) => {
      const leader = await leaderOf(reach);
      const pod = leader && (await callApi<Manifest>(reach.access, 'GET', podPath(reach, leader)));
      const victim = (await reach.node.processes()).find(({ role, podUid }) => role === 'controller' && podUid === (pod as Manifest | undefined)?.metadata['uid' as 'name']);
      return victim && reach.node.kill(victim.pid) ? leader : undefined;
    },
  },
  {
    name: 'leadership handed over',
    weight: 12,
    endsAttempts: false,
    strike: async (reach) => {
      const leader = await leaderOf(reach);
      if (leader) await callApi(reach.access, 'DELETE', podPath(reach, leader));
      return leader;
    },
  },
  killed('API server killed', 'kube-apiserver', 16),
  // Seldom: it waits a minute for those who watch before it ends, and serves nobody meanwhile.
  killed('API server restarted', 'kube-apiserver', 2, false, 'SIGTERM'),
  killed('etcd killed', 'etcd', 12),
  killed('etcd restarted', 'etcd', 6, false, 'SIGTERM'),
  killed('controller manager killed', 'kube-controller-manager', 5),
  killed('scheduler killed', 'kube-scheduler', 5),
  killed('kubelet killed', 'kubelet', 8),
  killed('worker killed', 'worker', 24, true),
  asked('worker pod deleted', 20, (reach, pod) => callApi(reach.access, 'DELETE', podPath(reach, pod))),
  asked('worker pod deleted without grace', 8, (reach, pod) => callApi(reach.access, 'DELETE', podPath(reach, pod), { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 }), true),
  asked('worker pod evicted', 16, (reach, pod) => callApi(reach.access, 'POST', `${podPath(reach, pod)}/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod, namespace: reach.namespace } })),
  killed('PostgreSQL killed', 'postgres', 8),
  killed('S3 server killed', 'versitygw', 6, true),
  {
    name: 'node without power',
    weight: 6,
    endsAttempts: true,
    strike: async ({ node }) => {
      await node.cutPower();
      return 'everything in its pods, kubelet and containerd';
    },
  },
];

export async function workerPods({ access, namespace }: Pick<Reach, 'access' | 'namespace'>): Promise<Manifest[]> {
  return (await callApi<{ items: Manifest[] }>(access, 'GET', `/api/v1/namespaces/${namespace}/pods?labelSelector=app.kubernetes.io%2Fname%3Dcaricature-worker`)).items;
}

/** Who holds the lease; it may be dead. */
async function leaderOf({ access, namespace }: Reach): Promise<string | undefined> {
  const lease = await callApi<Manifest>(access, 'GET', `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/caricature-controller`);
  return (lease.spec.holderIdentity as string).split('_')[0] || undefined;
}

/** The next one by the seed. */
export function draw(random: Random): Interruption {
  let left = random.uniform() * INTERRUPTIONS.reduce((sum, { weight }) => sum + weight, 0);
  return INTERRUPTIONS.find(({ weight }) => (left -= weight) < 0)!;
}

/** Does it as soon as it can be done: there may be no such process just now, or no API server that answers. Gives to whom, or undefined after a while. */
export async function strike(interruption: Interruption, reach: Reach, patienceMs: number): Promise<string | undefined> {
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline; await sleep(300)) {
    const whom = await interruption.strike(reach).catch(() => undefined);
    if (whom) return whom;
  }
  return undefined;
}
