import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { V1ContainerState, V1Job, V1Node, V1Pod } from '@kubernetes/client-node';
import { jobPath, podPath } from '../client/api-path.js';
import { isKubernetesError } from '../client/kubernetes.error.js';
import { CONTAINER } from '../jobs/job-manifest.js';
import { MANAGED_SELECTOR } from '../jobs/labels.js';
import type { TestCluster } from './test-cluster.js';

const NODE = 'fake-node';

/** Stands in for a node: says of pods what a kubelet would and has their logs, without running anything. */
export class FakeKubelet {
  private readonly logs = new Map<string, string>();
  private obeying: NodeJS.Timeout | undefined;

  private constructor(
    private readonly cluster: TestCluster,
    private readonly server: https.Server,
  ) {
    server.on('request', ({ url }, response) => {
      const [, , namespace, pod] = (url ?? '').split(/[/?]/);
      const log = this.logs.get(`${namespace}/${pod}`);
      response.writeHead(log === undefined ? 404 : 200, { 'content-type': 'text/plain' }).end(log ?? 'no such container');
    });
  }

  /** Makes the node known, so that nobody takes its pods for lost, with the address at which it gives logs. */
  static async on(cluster: TestCluster): Promise<FakeKubelet> {
    const folder = dirname(cluster.plane.caFile);
    const [cert, key] = await Promise.all(['apiserver.crt', 'apiserver.key'].map((file) => readFile(join(folder, file))));
    const server = https.createServer({ cert, key }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const node: V1Node = { apiVersion: 'v1', kind: 'Node', metadata: { name: NODE } };
    await cluster.client.create('/api/v1/nodes', node);
    const status = { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: port } } };
    await cluster.client.merge(`/api/v1/nodes/${NODE}/status`, { status });
    return new FakeKubelet(cluster, server);
  }

  /** From now on pods that are asked to go have a worker that heeds it: they end by themselves. */
  obey(): void {
    const look = async () => {
      const { items } = await this.cluster.client.list<V1Pod>(podPath(), { labelSelector: MANAGED_SELECTOR });
      for (const pod of items) if (pod.metadata?.deletionTimestamp) await this.remove(pod);
    };
    this.obeying = setInterval(() => void look().catch(() => undefined), 100);
  }

  stop(): void {
    clearInterval(this.obeying);
    this.server.closeAllConnections();
    this.server.close();
  }

  /** The pods of a Job, the oldest first. */
  async podsOf(namespace: string, job: string): Promise<V1Pod[]> {
    const { items } = await this.cluster.client.list<V1Pod>(podPath(namespace), { labelSelector: `job-name=${job}` });
    return items.sort((a, b) => String(a.metadata!.creationTimestamp).localeCompare(String(b.metadata!.creationTimestamp)));
  }

  /** The pod of a Job that has not ended, once the Job controller has made it. */
  async pod(namespace: string, job: string): Promise<V1Pod> {
    let found: V1Pod | undefined;
    await this.cluster.until(`${job} has a pod`, async () => {
      found = (await this.podsOf(namespace, job)).find(({ status, metadata }) => !['Succeeded', 'Failed'].includes(status?.phase ?? '') && !metadata?.deletionTimestamp);
      return found !== undefined;
    });
    return found!;
  }

  /** Takes the Job's pod on and starts its container. */
  async start(namespace: string, job: string): Promise<V1Pod> {
    const pod = await this.pod(namespace, job);
    const name = pod.metadata!.name!;
    if (!pod.spec!.nodeName) {
      const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target: { apiVersion: 'v1', kind: 'Node', name: NODE } };
      await this.cluster.client.create(`${podPath(namespace, name)}/binding`, binding);
    }
    await this.say(pod, { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }], containerStatuses: [stateOf({ running: { startedAt: now() } })] });
    return pod;
  }

  /** The container of the Job's pod ends; `tail` is what Kubernetes keeps of its log. */
  async end(namespace: string, job: string, exitCode: number, { tail = '', reason = exitCode === 0 ? 'Completed' : 'Error' }: { tail?: string; reason?: string } = {}): Promise<void> {
    const pod = await this.start(namespace, job);
    await this.ended(pod, exitCode, { tail, reason });
  }

  private async ended(pod: V1Pod, exitCode: number, { tail, reason }: { tail: string; reason: string }): Promise<void> {
    this.logs.set(`${pod.metadata!.namespace}/${pod.metadata!.name}`, tail && `${tail}\n`);
    const terminated = { exitCode, reason, message: tail, startedAt: now(), finishedAt: now() };
    await this.say(pod, { phase: exitCode === 0 ? 'Succeeded' : 'Failed', containerStatuses: [stateOf({ terminated })] });
  }

  /** The pod is told to make room: its container is stopped with the code of an interrupted worker. */
  async evict(namespace: string, job: string): Promise<void> {
    const pod = await this.start(namespace, job);
    const condition = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting', lastTransitionTime: now() };
    const terminated = { exitCode: 75, reason: 'Error', message: '', startedAt: now(), finishedAt: now() };
    await this.say(pod, { phase: 'Failed', conditions: [condition], containerStatuses: [stateOf({ terminated })] });
  }

  /** The container cannot start, for a reason such as `ImagePullBackOff`. */
  async wait(namespace: string, job: string, reason: string, message: string): Promise<V1Pod> {
    const pod = await this.pod(namespace, job);
    await this.say(pod, { containerStatuses: [stateOf({ waiting: { reason, message } })] });
    return pod;
  }

  /** Ends pods that are asked to go, as a kubelet does once their containers have ended. */
  async release(namespace: string, job: string): Promise<void> {
    for (const pod of await this.podsOf(namespace, job)) if (pod.metadata?.deletionTimestamp) await this.remove(pod);
  }

  /** Waits until the Job controller has seen how the Job ended. */
  async finished(namespace: string, job: string): Promise<V1Job> {
    let found: V1Job | undefined;
    await this.cluster.until(`${job} has ended`, async () => {
      found = await this.cluster.client.find<V1Job>(jobPath(namespace, job));
      return found?.status?.conditions?.some((c) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True');
    });
    return found!;
  }

  /** Takes a pod away as it is when its node is: nobody asks it first. */
  async remove({ metadata }: V1Pod): Promise<void> {
    this.logs.delete(`${metadata!.namespace}/${metadata!.name}`);
    await this.cluster.client.delete(podPath(metadata!.namespace, metadata!.name), { gracePeriodSeconds: 0 }).catch(ignoreGone);
  }

  async say({ metadata }: V1Pod, status: object): Promise<void> {
    await this.cluster.client.merge(`${podPath(metadata!.namespace, metadata!.name)}/status`, { status });
  }
}

function stateOf(state: Record<keyof V1ContainerState, unknown> | object): object {
  return { name: CONTAINER, image: 'worker', imageID: '', ready: false, restartCount: 0, state };
}

function now(): string {
  return new Date().toISOString();
}

function ignoreGone(error: unknown): void {
  if (!isKubernetesError(error, 'NotFound')) throw error;
}
