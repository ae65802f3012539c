// The inside of the whole cluster: the first program of its own process, network and mount namespaces. It starts the control plane and
// one node, keeps them running, and gives the node what a cloud would: GPUs and volumes. When it ends, the kernel ends everything else.
import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { callApi } from './api.mjs';
import { locateBinaries } from './binaries.mjs';
import { ControlPlane } from './control-plane.mjs';
import { cniConfig, containerdConfig, coreFile, kubeletConfig } from './node-config.mjs';
import { keepGpus } from './gpus.mjs';
import { Service } from './service.mjs';
import { keepVolumes, STORAGE_CLASS } from './volumes.mjs';

const run = promisify(execFile);
const settings = JSON.parse(await readFile(process.argv[2], 'utf8'));
const { folder, network } = settings;
const at = (...names) => path.join(folder, ...names);

async function main() {
  await mountOwnFolders();
  const plane = new ControlPlane({ folder: at('control-plane'), address: network.node, port: 6443, serviceRange: network.services, podRange: network.pods, controllerManager: true, scheduler: true, restarts: true, log: say });
  say('starting the control plane');
  await plane.start();
  const binaries = await locateBinaries();
  say('starting the node');
  await startNode(plane, binaries);
  await describeCluster(plane);
  const access = { url: plane.url, ca: plane.ca, token: plane.token };
  await callApi(access, 'PATCH', `/apis/storage.k8s.io/v1/storageclasses/${STORAGE_CLASS.metadata.name}?fieldManager=cluster&force=true`, STORAGE_CLASS, 'application/apply-patch+yaml');
  await untilNodeReady(access);
  say('ready');
  await Promise.all([keep(() => keepGpus(access, settings.gpus)), keep(() => keepVolumes(access, at('volumes')))]);
}

/** Folders whose place is fixed, but whose content must not be shared with the machine outside. */
async function mountOwnFolders() {
  // What a container mounts must reach the containers that ask for it, but never the machine outside.
  await run('mount', ['--make-rshared', '/']);
  await run('mount', ['-t', 'tmpfs', 'tmpfs', '/run']);
  for (const [inside, outside] of [['cni', '/var/lib/cni'], ['log', '/var/log']]) {
    await mkdir(at(inside), { recursive: true });
    await mkdir(outside, { recursive: true });
    await run('mount', ['--bind', at(inside), outside]);
  }
}

async function startNode(plane, binaries) {
  const files = {
    'containerd.toml': containerdConfig({ folder, snapshotter: settings.snapshotter }),
    'net.d/10-bridge.conflist': cniConfig(network),
    'kubelet.json': kubeletConfig({ folder, network, cgroupRoot: settings.cgroupRoot }),
    'resolv.conf': `nameserver ${network.node}\n`,
    Corefile: coreFile({ network, kubeconfig: plane.kubeconfigOf('dns') }),
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(at(name)), { recursive: true });
    await writeFile(at(name), text);
  }
  const start = (name, command) => new Service({ name, command, folder: at('control-plane'), restarts: true }).start();
  start('containerd', ['containerd', '--config', at('containerd.toml')]);
  await until('containerd answers', () => run('ctr', ['--address', settings.containerd, 'version']));
  for (const image of settings.images) await run('ctr', ['--address', settings.containerd, '--namespace', 'k8s.io', 'images', 'import', image]);
  start('coredns', [binaries.coredns, '-conf', at('Corefile')]);
  start('kube-proxy', [
    binaries.part('kube-proxy'),
    `--kubeconfig=${plane.kubeconfigOf('proxy')}`,
    '--proxy-mode=iptables',
    `--cluster-cidr=${network.pods}`,
    '--conntrack-max-per-core=0',
    '--hostname-override=node1',
  ]);
  start('kubelet', [
    binaries.part('kubelet'),
    `--kubeconfig=${plane.kubeconfigOf('node')}`,
    `--config=${at('kubelet.json')}`,
    `--root-dir=${at('kubelet')}`,
    `--cert-dir=${at('kubelet/pki')}`,
    `--node-ip=${network.node}`,
    '--hostname-override=node1',
  ]);
}

/** What others need to use this cluster, written in one go. */
async function describeCluster(plane) {
  await writeFile(at('kubeconfig.partial'), await readFile(plane.kubeconfig, 'utf8'), { mode: 0o600 });
  await rename(at('kubeconfig.partial'), at('kubeconfig'));
}

function untilNodeReady(access) {
  return until('the node is ready', async () => {
    const node = await callApi(access, 'GET', '/api/v1/nodes/node1');
    const ready = node.status.conditions?.find(({ type }) => type === 'Ready');
    if (ready?.status !== 'True') throw new Error(ready?.message ?? 'the kubelet has not reported yet');
  });
}

async function until(what, works) {
  const deadline = Date.now() + 180_000;
  for (;;) {
    const problem = await works().then(() => undefined, (error) => error);
    if (!problem) return;
    if (Date.now() > deadline) throw new Error(`not so after three minutes: ${what}\n${problem.message}`);
    await sleep(300);
  }
}

/** Repeats a small step for as long as the cluster runs. A step that fails (the API server restarts) is tried again. */
async function keep(step) {
  for (;;) {
    await step().catch((error) => say(error.message));
    await sleep(1_000);
  }
}

const say = (line) => console.log(`${new Date().toISOString()} ${line}`);

main().catch((error) => {
  say(`failed: ${error.message}`);
  process.exit(1);
});
