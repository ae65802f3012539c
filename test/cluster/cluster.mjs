// make cluster-up, cluster-down, cluster-status, cluster-load: a whole Kubernetes of one node on this machine, for tests.
// It lives in process, network and mount namespaces of its own, all held by one process: when that one ends, everything does.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { exclusively } from '../../scripts/setup/exclusive.mjs';
import { findOnPath } from '../../scripts/setup/prerequisites.mjs';
import { cacheFolder } from '../../scripts/test/cache.mjs';
import { bringBinaries, locateBinaries } from './binaries.mjs';
import { createCgroups, removeCgroups } from './cgroups.mjs';
import { joinNetwork, pickNetwork } from './network.mjs';
import { pauseImage } from './pause-image.mjs';

const run = promisify(execFile);
const GPUS = 2;
const UP_MS = 300_000;
const CONTAINERD = '/run/containerd/containerd.sock';

/** The one cluster of this machine's user, or another by the name in CARICATURE_CLUSTER. */
const name = process.env.CARICATURE_CLUSTER || 'cluster';
const folder = path.join(cacheFolder(), 'cluster/running', name);
const settingsFile = path.join(folder, 'settings.json');
const logFile = path.join(folder, 'node.log');
const cgroupRoot = `/caricature-${name}`;

/**
 * A cluster to test on: that of KUBECONFIG if it is set, else this machine's, started if it is not up.
 * See cluster.d.mts for what is returned.
 */
export async function useCluster({ log = () => {} } = {}) {
  if (process.env.KUBECONFIG) return useExistingCluster(log);
  await up(log);
  const { network } = await readSettings();
  const binaries = await locateBinaries();
  return { isOwn: true, kubeconfig: path.join(folder, 'kubeconfig'), kubectl: binaries.kubectl, helm: binaries.helm, host: network.host, folder };
}

/** What this machine's cluster was started with: see startUnlessUp. */
export async function readSettings() {
  return JSON.parse(await readFile(settingsFile, 'utf8'));
}

async function useExistingCluster(log) {
  const kubeconfig = process.env.KUBECONFIG;
  const [kubectl, helm] = [await findOnPath('kubectl'), await findOnPath('helm')];
  const binaries = kubectl && helm ? undefined : await bringBinaries({ log });
  const found = { isOwn: false, kubeconfig, kubectl: kubectl ?? binaries.kubectl, helm: helm ?? binaries.helm, host: process.env.CARICATURE_CLUSTER_HOST };
  await run(found.kubectl, ['version', '--request-timeout=10s'], { env: { ...process.env, KUBECONFIG: kubeconfig } }).catch((error) => {
    throw new Error(`KUBECONFIG names a cluster that does not answer (${kubeconfig}): ${error.stderr?.trim()}\nMend it, or unset KUBECONFIG to start a cluster on this machine.`);
  });
  log(`KUBECONFIG is set: using the cluster of ${kubeconfig}`);
  return found;
}

/** Starts the cluster unless it is up, and returns once its node is ready. */
export async function up(log) {
  if (process.getuid() !== 0) throw new Error('a cluster with a node needs root: sudo make cluster-up, or set KUBECONFIG to use one that there is');
  await mkdir(folder, { recursive: true });
  await exclusively(folder, () => startUnlessUp(log), () => log('another process is at work on the cluster: waiting for it'));
}

async function startUnlessUp(log) {
  const pid = await findCluster();
  if (pid && (await isReady())) return log('the cluster is up');
  if (pid) log('a cluster was left half started: starting it anew');
  await clear();
  const start = performance.now();
  const binaries = await bringBinaries({ log });
  const network = await pickNetwork();
  await createCgroups(cgroupRoot);
  await mkdir(folder, { recursive: true });
  const settings = { folder, network, cgroupRoot, gpus: GPUS, containerd: CONTAINERD, snapshotter: await chooseSnapshotter(), images: [await pauseImage(binaries)] };
  await writeFile(settingsFile, JSON.stringify(settings, null, 2));
  await joinNetwork(network, await startNamespaces());
  await followStart(log);
  log(`the cluster is up after ${Math.round((performance.now() - start) / 1000)} s: export KUBECONFIG=${folder}/kubeconfig`);
}

/** Starts node.mjs as the first program of new namespaces; gives the process that holds them. */
async function startNamespaces() {
  const out = openSync(logFile, 'a');
  // A shell is the first process: it takes in and reaps what others leave behind.
  const first = ['sh', '-c', '"$0" "$@" & wait $!', process.execPath, path.join(path.dirname(fileURLToPath(import.meta.url)), 'node.mjs'), settingsFile];
  const child = spawn('unshare', ['--mount', '--pid', '--net', '--ipc', '--fork', '--kill-child=SIGKILL', '--mount-proc', ...first], { detached: true, stdio: ['ignore', out, out], cwd: '/' });
  closeSync(out);
  child.unref();
  const own = await readlink('/proc/self/ns/net');
  for (let tries = 0; tries < 100; tries++) {
    const net = await readlink(`/proc/${child.pid}/ns/net`).catch(() => undefined);
    if (net && net !== own) return child.pid;
    await sleep(50);
  }
  throw new Error(`no namespaces of its own for the cluster: ${await logTail()}`);
}

async function followStart(log) {
  const deadline = Date.now() + UP_MS;
  let shown = 0;
  while (Date.now() < deadline) {
    const lines = (await readFile(logFile, 'utf8').catch(() => '')).split('\n').slice(0, -1);
    for (const line of lines.slice(shown)) log(line.replace(/^\S+ /, ''));
    shown = lines.length;
    if (lines.some((line) => /^\S+ ready$/.test(line))) return;
    if (!(await findCluster())) break;
    await sleep(300);
  }
  throw new Error(`the cluster did not start; its logs are in ${folder}\n${await logTail()}`);
}

/** Stops the cluster and removes what it stored; what was built stays in the cache. */
export async function down(log) {
  await mkdir(folder, { recursive: true });
  await exclusively(folder, async () => {
    const pid = await findCluster();
    await clear();
    log(pid ? 'the cluster is down' : 'no cluster was up');
  }, () => log('another process is at work on the cluster: waiting for it'));
}

async function clear() {
  const pid = await findCluster();
  if (pid) {
    process.kill(pid, 'SIGKILL');
    while (await findCluster()) await sleep(50);
  }
  await removeCgroups(cgroupRoot);
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
}

/** Prints what there is. Gives an exit code: 0 when the cluster is up. */
async function status(log) {
  if (!(await findCluster())) return log('no cluster is up (make cluster-up)'), 1;
  if (!(await isReady())) return log(`the cluster is not ready; its logs are in ${folder}`), 1;
  const { kubectl } = await locateBinaries();
  log(`export KUBECONFIG=${folder}/kubeconfig`);
  for (const what of [['get', 'nodes', '-o', 'wide'], ['get', 'pods', '-A']]) log((await run(kubectl, [`--kubeconfig=${folder}/kubeconfig`, ...what])).stdout.trim());
  return 0;
}

/**
 * Makes images known to the node, unless it has these very ones.
 * @param {string} source an archive (docker or OCI), or the folder of an OCI layout whose images carry full names
 */
export async function loadImages(source, log = () => {}) {
  const pid = await findCluster();
  if (!pid) throw new Error('no cluster is up (make cluster-up)');
  const inside = ['--target', String(pid), '--mount', 'ctr', '--address', CONTAINERD, '--namespace', 'k8s.io', 'images'];
  if (!(await stat(source)).isDirectory()) return log((await run('nsenter', [...inside, 'import', path.resolve(source)])).stdout.trim());
  const { stdout: known } = await run('nsenter', [...inside, 'list']);
  const { manifests } = JSON.parse(await readFile(path.join(source, 'index.json'), 'utf8'));
  const isKnown = ({ digest, annotations }) => known.split('\n').some((line) => line.startsWith(`${annotations['org.opencontainers.image.ref.name']} `) && line.includes(digest));
  if (manifests.every(isKnown)) return;
  log(`loading ${manifests.map(({ annotations }) => annotations['org.opencontainers.image.ref.name'].replace('docker.io/', '')).join(', ')}`);
  const archive = spawn('tar', ['-C', source, '-cf', '-', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const importing = spawn('nsenter', [...inside, 'import', '-'], { stdio: [archive.stdout, 'ignore', 'pipe'] });
  let said = '';
  importing.stderr.on('data', (text) => (said += text));
  const [code] = await once(importing, 'close');
  if (code !== 0) throw new Error(`the images of ${source} could not be loaded: ${said.trim()}`);
}

/** The process that holds the cluster's namespaces: known by the file that it was started with, which is in a folder of ours. */
export async function findCluster() {
  for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (words[0] === 'unshare' && words.includes(settingsFile)) return Number(pid);
  }
  return undefined;
}

async function isReady() {
  const { kubectl } = await locateBinaries();
  const kubeconfig = path.join(folder, 'kubeconfig');
  if (!(await stat(kubeconfig).then(() => true, () => false))) return false;
  const condition = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}';
  return run(kubectl, [`--kubeconfig=${kubeconfig}`, '--request-timeout=5s', 'get', 'node', 'node1', '-o', condition]).then(({ stdout }) => stdout === 'True', () => false);
}

/** Layers over layers where the file system can, else copies. */
async function chooseSnapshotter() {
  const at = (part) => path.join(folder, 'overlay', part);
  for (const part of ['lower', 'upper', 'work', 'merged']) await mkdir(at(part), { recursive: true });
  const options = `lowerdir=${at('lower')},upperdir=${at('upper')},workdir=${at('work')}`;
  const works = await run('mount', ['-t', 'overlay', 'overlay', '-o', options, at('merged')]).then(() => true, () => false);
  if (works) await run('umount', [at('merged')]);
  return works ? 'overlayfs' : 'native';
}

async function logTail() {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-15).join('\n');
}

const HELP = `node test/cluster/cluster.mjs up|down|status|load FILE…
  up      start a Kubernetes of one node on this machine, unless it is up (root; everything it needs is brought and kept)
  down    stop it and remove what it stored
  status  show its node and pods
  load    import images: docker or OCI archives, or folders of OCI layouts
With KUBECONFIG set, tests use that cluster and nothing is started.`;

async function main([command, ...rest]) {
  const log = (line) => console.log(line);
  if (command === 'up') return process.env.KUBECONFIG ? useExistingCluster(log) : up(log);
  if (command === 'down') return down(log);
  if (command === 'status') return status(log);
  if (command === 'load') for (const source of rest) await loadImages(source, log);
  if (command === 'load') return 0;
  console.log(HELP);
  return command === undefined || command.includes('help') ? 0 : 64;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main(process.argv.slice(2)).then(
    (code) => (process.exitCode = typeof code === 'number' ? code : 0),
    (error) => {
      console.error(error.message);
      process.exitCode = 1;
    },
  );
}
