// An API server with its etcd, and whichever controllers are asked for, but no node: pods are stored and never run. Ready in seconds,
// needs no root, any number side by side. Whatever it starts ends with the process that started it.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { isHealthy } from './api.mjs';
import { bringBinaries } from './binaries.mjs';
import { pickPorts } from './ports.mjs';
import { Service } from './service.mjs';

/** Who may speak to the API server with a token of its file: name → user, groups. */
const IDENTITIES = {
  admin: ['admin', 'system:masters'],
  'controller-manager': ['system:kube-controller-manager', ''],
  scheduler: ['system:kube-scheduler', ''],
  proxy: ['system:kube-proxy', ''],
  dns: ['dns', 'system:masters'],
  node: ['system:node:node1', 'system:nodes'],
};
const READY_MS = 180_000;

/**
 * Starts etcd and an API server and resolves once they are ready; see control-plane.d.mts for the options and what is returned.
 * @throws {Error} with the end of its log when a server ends instead
 */
export async function startControlPlane(options = {}) {
  const plane = new ControlPlane(options);
  try {
    await plane.start();
  } catch (error) {
    await plane.stop();
    throw error;
  }
  return plane;
}

export class ControlPlane {
  services = {};
  #options;

  constructor(options) {
    this.#options = { address: '127.0.0.1', serviceRange: '10.96.0.0/16', podRange: '10.244.0.0/16', flags: [], restarts: false, log: () => {}, ...options };
  }

  async start() {
    this.binaries = await bringBinaries({ log: this.#options.log, wholeCluster: false });
    await this.#prepareFolder();
    await this.#startServers();
    const { controllerManager, scheduler } = this.#options;
    if (controllerManager) this.#startService('kube-controller-manager', this.#controllerManagerFlags());
    if (scheduler) this.#startService('kube-scheduler', [`--kubeconfig=${this.kubeconfigOf('scheduler')}`, '--leader-elect=false']);
    if (controllerManager) await this.#until('the default service account is there', () => isHealthy(this, '/api/v1/namespaces/default/serviceaccounts/default'));
  }

  /** Resolves once the API server answers that it is ready. */
  untilReady() {
    return this.#until('the API server is ready', () => isHealthy(this, '/readyz'));
  }

  /** The kubeconfig of one of IDENTITIES. */
  kubeconfigOf(identity) {
    return path.join(this.folder, `${identity}.kubeconfig`);
  }

  async stop() {
    // The API server before its etcd: it would otherwise wait for it.
    for (const service of Object.values(this.services).reverse()) await service.stop();
    if (this.folder && !this.#options.folder) await rm(this.folder, { recursive: true, force: true });
  }

  async #prepareFolder() {
    this.folder = this.#options.folder ?? (await mkdtemp(path.join(os.tmpdir(), 'caricature-plane-')));
    await mkdir(this.folder, { recursive: true });
    this.kubeconfig = this.kubeconfigOf('admin');
    this.kubectl = this.binaries.kubectl;
    this.caFile = path.join(this.folder, 'certificates/apiserver.crt');
    await this.#writeKeys();
    const tokens = JSON.parse(await readFile(path.join(this.folder, 'tokens.json'), 'utf8'));
    this.tokens = tokens;
    this.token = tokens.admin;
  }

  /** Keys and tokens outlive a restart of the whole, as the data does. */
  async #writeKeys() {
    if (await access(path.join(this.folder, 'tokens.json')).then(() => true, () => false)) return;
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs1', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } });
    await writeFile(path.join(this.folder, 'accounts.key'), privateKey, { mode: 0o600 });
    const tokens = Object.fromEntries(Object.keys(IDENTITIES).map((name) => [name, randomBytes(24).toString('hex')]));
    const rows = Object.entries(IDENTITIES).map(([name, [user, groups]]) => `${tokens[name]},${user},${name},"${groups}"`);
    await writeFile(path.join(this.folder, 'tokens.csv'), `${rows.join('\n')}\n`, { mode: 0o600 });
    await writeFile(path.join(this.folder, 'tokens.json'), JSON.stringify(tokens), { mode: 0o600 });
  }

  async #startServers() {
    const [client, peer, freePort] = await pickPorts(3);
    const { address, port = freePort } = this.#options;
    this.url = `https://${address}:${port}`;
    this.#startService('etcd', etcdFlags(path.join(this.folder, 'etcd'), client, peer), 'etcd');
    this.#startService('kube-apiserver', this.#apiServerFlags(`http://127.0.0.1:${client}`, port));
    await this.untilReady();
    this.ca = await readFile(this.caFile, 'utf8');
    await Promise.all(Object.keys(IDENTITIES).map((name) => this.#writeKubeconfig(name)));
  }

  #startService(name, flags, program = this.binaries.part(name)) {
    const service = new Service({ name, command: [program, ...flags], folder: this.folder, restarts: this.#options.restarts });
    this.services[name] = service;
    service.start();
  }

  #apiServerFlags(etcd, port) {
    const { address, serviceRange, flags } = this.#options;
    const isLoopback = address.startsWith('127.');
    const key = path.join(this.folder, 'accounts.key');
    return [
      `--etcd-servers=${etcd}`,
      `--secure-port=${port}`,
      `--bind-address=${isLoopback ? address : '0.0.0.0'}`,
      `--advertise-address=${address}`,
      // An address that only this machine can reach is not one to publish as the Service `kubernetes`.
      ...(isLoopback ? ['--endpoint-reconciler-type=none'] : []),
      `--cert-dir=${path.dirname(this.caFile)}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${key}`,
      `--service-account-signing-key-file=${key}`,
      `--service-cluster-ip-range=${serviceRange}`,
      `--token-auth-file=${path.join(this.folder, 'tokens.csv')}`,
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=NodeRestriction',
      '--allow-privileged',
      '--kubelet-preferred-address-types=InternalIP',
      '--shutdown-delay-duration=0s',
      ...flags,
    ];
  }

  #controllerManagerFlags() {
    const { serviceRange, podRange } = this.#options;
    return [
      `--kubeconfig=${this.kubeconfigOf('controller-manager')}`,
      `--service-account-private-key-file=${path.join(this.folder, 'accounts.key')}`,
      `--root-ca-file=${this.caFile}`,
      '--use-service-account-credentials',
      '--leader-elect=false',
      '--bind-address=127.0.0.1',
      '--secure-port=0',
      `--cluster-cidr=${podRange}`,
      `--service-cluster-ip-range=${serviceRange}`,
    ];
  }

  async #writeKubeconfig(identity) {
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'caricature', cluster: { server: this.url, 'certificate-authority-data': Buffer.from(this.ca).toString('base64') } }],
      users: [{ name: identity, user: { token: this.tokens[identity] } }],
      contexts: [{ name: 'caricature', context: { cluster: 'caricature', user: identity } }],
      'current-context': 'caricature',
    };
    await writeFile(this.kubeconfigOf(identity), JSON.stringify(config, null, 2), { mode: 0o600 });
  }

  async #until(what, holds) {
    const deadline = Date.now() + READY_MS;
    while (!(await holds())) {
      for (const service of Object.values(this.services)) {
        if (!this.#options.restarts && service.ending !== undefined) throw new Error(`${service.name} ended with ${service.ending} before ${what}:\n${await service.logTail()}`);
      }
      if (Date.now() > deadline) throw new Error(`not so after ${READY_MS / 1000} s: ${what}\n${await this.services['kube-apiserver'].logTail()}`);
      await sleep(100);
    }
  }
}

/** Without fsync: what a test stores need not outlive a power cut. */
function etcdFlags(data, client, peer) {
  const own = `http://127.0.0.1:${peer}`;
  return [
    `--data-dir=${data}`,
    `--listen-client-urls=http://127.0.0.1:${client}`,
    `--advertise-client-urls=http://127.0.0.1:${client}`,
    `--listen-peer-urls=${own}`,
    `--initial-advertise-peer-urls=${own}`,
    `--initial-cluster=default=${own}`,
    '--quota-backend-bytes=4294967296',
    '--unsafe-no-fsync',
    '--logger=zap',
    '--log-outputs=stderr',
  ];
}

const HELP = `node test/cluster/control-plane.mjs [--controller-manager] [--scheduler]
  Starts etcd and an API server (and the controllers), prints KUBECONFIG=… when they are ready, and stops them on Ctrl-C.`;

async function main() {
  const { values } = parseArgs({ options: { 'controller-manager': { type: 'boolean' }, scheduler: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } });
  if (values.help) return console.log(HELP);
  const plane = await startControlPlane({ controllerManager: values['controller-manager'], scheduler: values.scheduler, log: console.error });
  console.log(`KUBECONFIG=${plane.kubeconfig}`);
  await new Promise((done) => ['SIGINT', 'SIGTERM', 'SIGHUP'].forEach((signal) => process.once(signal, done)));
  await plane.stop();
  process.exit(0);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
