import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { freePort } from '../../libs/artifacts/src/testing/s3.server.js';
import { CHART, RELEASE, type Manifest } from '../charts/chart.js';
import type { Cluster } from './cluster.mjs';

const run = promisify(execFile);
const VALUES = join(import.meta.dirname, 'chart-values.yaml');
const CRDS = ['crawljobs.caricature.dev', 'trainingruns.caricature.dev'];

/** A release of the chart in a namespace of its own. */
export class Installation {
  private constructor(
    readonly cluster: Cluster,
    readonly namespace: string,
    /** For files of the test; removed with the installation. */
    readonly folder: string,
  ) {}

  /** Makes the namespace, with the strictest Pod Security, and hands it the definitions that another installation left. */
  static async prepare(cluster: Cluster, namespace: string): Promise<Installation> {
    const made = new Installation(cluster, namespace, await mkdtemp(join(tmpdir(), 'caricature-chart-')));
    await made.kubectl('create', 'namespace', namespace);
    await made.kubectl('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted');
    // Of a cluster that is not ours, resources of others may be there.
    if (cluster.isOwn) await made.kubectl('delete', 'crd', '--ignore-not-found', ...CRDS);
    for (const crd of CRDS) {
      if (!(await made.kubectl('get', 'crd', crd, '-o', 'name').then(() => true, () => false))) continue;
      await made.kubectl('annotate', '--overwrite', 'crd', crd, `meta.helm.sh/release-name=${RELEASE}`, `meta.helm.sh/release-namespace=${namespace}`);
      await made.kubectl('label', '--overwrite', 'crd', crd, 'app.kubernetes.io/managed-by=Helm');
    }
    return made;
  }

  kubectl(...args: string[]): Promise<string> {
    return this.call(this.cluster.kubectl, args);
  }

  helm(...args: string[]): Promise<string> {
    return this.call(this.cluster.helm, args);
  }

  /** Installs or upgrades, and returns once everything is ready. */
  upgrade(chart = CHART, ...more: string[]): Promise<string> {
    return this.helm('upgrade', '--install', RELEASE, chart, '--values', VALUES, '--wait', '--timeout', '5m', ...more);
  }

  /** Goes back to how the release was, and returns once everything is ready. */
  rollback(revision: number): Promise<string> {
    return this.helm('rollback', RELEASE, String(revision), '--wait', '--timeout', '5m');
  }

  apply(...manifests: Manifest[]): Promise<void> {
    return this.applyIn(this.namespace, ...manifests);
  }

  async applyIn(namespace: string, ...manifests: Manifest[]): Promise<void> {
    const file = join(this.folder, `${manifests.at(-1)!.metadata.name}.yaml`);
    await writeFile(file, manifests.map((manifest) => stringify(manifest, { aliasDuplicateObjects: false })).join('---\n'));
    await this.kubectl('apply', '--namespace', namespace, '-f', file);
  }

  async get(...args: string[]): Promise<Manifest> {
    return JSON.parse(await this.kubectl('get', ...args, '-o', 'json')) as Manifest;
  }

  async list(...args: string[]): Promise<Manifest[]> {
    return (await this.get(...args))['items'] as Manifest[];
  }

  async secret(name: string, key: string): Promise<string> {
    return Buffer.from((await this.get('secret', name))['data'][key] as string, 'base64').toString();
  }

  /** Names of the pods of a part of the chart, such as `controller`. */
  async podsOf(component: string): Promise<string[]> {
    return (await this.list('pods', '-l', `app.kubernetes.io/component=${component}`)).map(({ metadata }) => metadata.name).sort();
  }

  /** Where the pods that say so by their annotations have metrics. */
  async annotatedPods(): Promise<{ address: string; path: string }[]> {
    const wanted = (await this.list('pods')).filter(({ metadata, status }) => metadata.annotations?.['prometheus.io/scrape'] === 'true' && status.podIP);
    return wanted.map(({ metadata, status }) => ({ address: `${status.podIP}:${metadata.annotations!['prometheus.io/port']}`, path: metadata.annotations!['prometheus.io/path']! }));
  }

  /** Calls `use` with an address of this machine that leads to a Service. */
  async reach<T>(service: string, port: number, use: (url: string) => Promise<T>): Promise<T> {
    const local = await freePort();
    const child = spawn(this.cluster.kubectl, [...this.where(), 'port-forward', `service/${service}`, `${local}:${port}`], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(child.stdout, 'data');
      return await use(`http://127.0.0.1:${local}`);
    } finally {
      child.kill('SIGTERM');
    }
  }

  /** What the controller's API answers to a GET, by its token. */
  async askApi<T>(paths: string[]): Promise<T[]> {
    const authorization = `Bearer ${await this.secret('caricature-api', 'token')}`;
    return this.reach('caricature-controller', 3000, (url) =>
      Promise.all(paths.map(async (path) => {
        const response = await fetch(`${url}/api/v1${path}`, { headers: { authorization } });
        if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
        return (await response.json()) as T;
      })),
    );
  }

  /** Everything that is in the bundled S3 server, by URI. */
  async objects(): Promise<string[]> {
    const [accessKeyId, secretAccessKey] = await Promise.all(['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].map((key) => this.secret('caricature-artifacts', key)));
    return this.reach('caricature-objects', 7070, async (endpoint) => {
      const s3 = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: { accessKeyId: accessKeyId!, secretAccessKey: secretAccessKey! } });
      const found: string[] = [];
      for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket: 'caricature' })) found.push(...Contents.map(({ Key }) => `s3://caricature/${Key}`));
      return found;
    });
  }

  async remove(): Promise<void> {
    await this.kubectl('delete', 'trainingruns,crawljobs', '--all', '--timeout=60s').catch(() => undefined);
    await this.helm('uninstall', RELEASE).catch(() => undefined);
    await this.kubectl('delete', 'namespace', this.namespace, '--wait=false').catch(() => undefined);
    await rm(this.folder, { recursive: true, force: true });
  }

  private where(): string[] {
    return ['--kubeconfig', this.cluster.kubeconfig, '--namespace', this.namespace];
  }

  private async call(program: string, args: string[]): Promise<string> {
    const { stdout } = await run(program, [...this.where(), ...args], { maxBuffer: 64 * 2 ** 20 }).catch((error: Error & { stderr?: string }) => {
      throw new Error(`${args.slice(0, 3).join(' ')}: ${error.stderr?.trim() || error.message}`);
    });
    return stdout;
  }
}
