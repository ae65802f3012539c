import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { KubeConfig, type V1CustomResourceDefinition, type V1Namespace } from '@kubernetes/client-node';
import { parseResource, renderCrds } from '@caricature/contracts';
import type { Resource } from '@caricature/reconciler';
import type { ControlPlane } from '../../../../test/cluster/control-plane.mjs';
import { resourcePath } from '../client/api-path.js';
import { Connection } from '../client/connection.js';
import { KubernetesClient, type KubernetesClientOptions } from '../client/kubernetes.client.js';
import { toResource, type StoredObject } from '../resources/stored-object.js';

const run = promisify(execFile);
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const LOOK_AGAIN_MS = 50;

export interface ClientChoice extends Omit<KubernetesClientOptions, 'connection'> {
  /** Another way to the API server, such as a proxy's. */
  url?: string;
  /** An administrator's unless told. */
  token?: string;
}

/** A real API server with what specs do to it. */
export class TestCluster {
  readonly client: KubernetesClient;
  private readonly connections: Connection[] = [];
  private made = 0;

  constructor(readonly plane: ControlPlane) {
    this.client = this.clientOf();
  }

  clientOf({ url = this.plane.url, token = this.plane.token, ...options }: ClientChoice = {}): KubernetesClient {
    const connection = new Connection(() => kubeConfigOf({ url, ca: this.plane.ca, user: { token } }));
    this.connections.push(connection);
    return new KubernetesClient({ ...options, connection });
  }

  /** Makes the custom resources known, and waits until they are served. */
  async installDefinitions(): Promise<void> {
    for (const definition of renderCrds()) {
      await this.client.create(DEFINITIONS, definition);
      await this.until(`${definition.metadata.name} is served`, async () => {
        const { status } = await this.client.get<V1CustomResourceDefinition>(`${DEFINITIONS}/${definition.metadata.name}`);
        return status?.conditions?.some((c) => c.type === 'Established' && c.status === 'True');
      });
    }
  }

  /** A new namespace in which only pods that meet Pod Security's "restricted" may run. */
  async namespace(): Promise<string> {
    const name = `spec-${process.pid}-${++this.made}`;
    await this.client.create<V1Namespace>('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } });
    return name;
  }

  /** Stores a resource as a user's `kubectl apply` would. */
  async createResource(document: { kind: Resource['kind']; metadata: object }, namespace: string): Promise<Resource> {
    const manifest = parseResource({ ...document, metadata: { ...document.metadata, namespace } });
    return toResource(manifest.kind, await this.client.create<StoredObject>(resourcePath(manifest.kind, namespace), manifest));
  }

  async kubectl(...args: string[]): Promise<string> {
    return (await run(this.plane.kubectl, ['--kubeconfig', this.plane.kubeconfig, ...args], { maxBuffer: 64 * 2 ** 20 })).stdout;
  }

  /** Waits for something that a server does in its own time. */
  async until(what: string, holds: () => Promise<boolean | undefined>, withinMs = 45_000): Promise<void> {
    for (const deadline = performance.now() + withinMs; !(await holds()); await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))) {
      if (performance.now() > deadline) throw new Error(`not so after ${withinMs / 1000} s: ${what}`);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.connections.map((connection) => connection.close()));
    await this.plane.stop();
  }
}

export function kubeConfigOf({ url, ca, user }: { url: string; ca: string; user: Record<string, unknown> }): KubeConfig {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'c', server: url, caData: Buffer.from(ca).toString('base64'), skipTLSVerify: false }],
    users: [{ name: 'u', ...user }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  });
  return config;
}

export function aCrawlJob(name: string, spec: Record<string, unknown> = {}) {
  return { apiVersion: 'caricature.dev/v1alpha1', kind: 'CrawlJob' as const, metadata: { name }, spec: { source: { baseUrl: 'http://127.0.0.1:1' }, sampling: { count: 10 }, ...spec } };
}

export function aTrainingRun(name: string, spec: Record<string, unknown> = {}) {
  return {
    apiVersion: 'caricature.dev/v1alpha1',
    kind: 'TrainingRun' as const,
    metadata: { name },
    spec: { source: { photos: { uri: 'synthetic://people' } }, target: { crawlJobRef: { name: 'nothing' } }, publish: { model: 'faces' }, ...spec },
  };
}
