// The programs of a test cluster: built once from the Go module proxy and kept in a cache, or installed from Debian.
import { mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runStep } from '../../scripts/setup/child.mjs';
import { exclusively } from '../../scripts/setup/exclusive.mjs';
import { fingerprint } from '../../scripts/setup/fingerprint.mjs';
import { findOnPath } from '../../scripts/setup/prerequisites.mjs';
import { cacheFolder } from '../../scripts/test/cache.mjs';
import { withGo } from '../../scripts/test/go.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const PARTS = ['kube-apiserver', 'kube-controller-manager', 'kube-proxy', 'kube-scheduler', 'kubectl', 'kubelet'];
const SMALL = '-s -w';

/** The programs that come from Debian, and the package that has each. */
const DEBIAN = {
  etcd: 'etcd-server',
  containerd: 'containerd',
  ctr: 'containerd',
  runc: 'runc',
  '/usr/lib/cni/bridge': 'containernetworking-plugins',
  buildah: 'buildah',
  debootstrap: 'debootstrap',
  conntrack: 'conntrack',
  iptables: 'iptables',
  ip: 'iproute2',
};
const CONTROL_PLANE_ONLY = ['etcd'];

/** Raised when a program of the cluster is neither there nor can be brought. */
export class ClusterToolError extends Error {
  constructor(message) {
    super(message);
    this.name = 'ClusterToolError';
    this.code = 'CLUSTER_TOOL_MISSING';
    this.retryable = false;
  }
}

/**
 * Where the programs are, or would be once brought.
 * @returns {Promise<{kubernetes: string, pause: string, helm: string, coredns: string, kubectl: string, part: (name: string) => string}>}
 */
export async function locateBinaries() {
  const { kubernetes, helm, coredns } = JSON.parse(await readFile(path.join(here, 'versions.json'), 'utf8'));
  const sources = (await fingerprint(here, ['kubernetes'])).slice(0, 8);
  const place = (name) => path.join(cacheFolder(), 'cluster', name);
  const folder = place(`kubernetes-${kubernetes}-${sources}`);
  return {
    kubernetes: path.join(folder, 'kubernetes'),
    pause: path.join(folder, 'pause'),
    kubectl: path.join(folder, 'kubectl'),
    part: (name) => path.join(folder, name),
    helm: path.join(place(`helm-${helm}`), 'helm'),
    coredns: path.join(place(`coredns-${coredns}`), 'coredns'),
    versions: { kubernetes, helm, coredns },
  };
}

/** What is not there yet, as words for a reader; empty when a cluster can start. */
export async function findMissingBinaries({ wholeCluster = true } = {}) {
  const binaries = await locateBinaries();
  const built = { kubernetes: binaries.kubernetes, ...(wholeCluster ? { helm: binaries.helm, coredns: binaries.coredns } : {}) };
  const missing = [];
  for (const [name, file] of Object.entries(built)) if (!(await isThere(file))) missing.push(name);
  for (const name of await missingFromDebian(wholeCluster)) missing.push(name);
  return missing;
}

/**
 * Brings whatever is missing. Safe to kill at any time and to run twice at once.
 * @param {{log: (line: string) => void, wholeCluster?: boolean}} options `wholeCluster: false` brings only what an API server needs
 */
export async function bringBinaries({ log, wholeCluster = true }) {
  const work = () => bring(log, wholeCluster);
  await exclusively(path.join(cacheFolder(), 'cluster'), work, () => log('another process is bringing the programs of the cluster: waiting for it'));
  return locateBinaries();
}

async function bring(log, wholeCluster) {
  await installFromDebian(log, await missingFromDebian(wholeCluster));
  const binaries = await locateBinaries();
  const { versions } = binaries;
  const steps = [
    { what: `Kubernetes ${versions.kubernetes}`, time: '5 to 10 min', file: binaries.kubernetes, build: (go, out) => buildKubernetes(go, out, versions.kubernetes) },
    { what: `helm ${versions.helm}`, time: '2 min', file: binaries.helm, build: (go, out) => install(go, out, `helm.sh/helm/v3/cmd/helm@${versions.helm}`) },
    { what: `CoreDNS ${versions.coredns}`, time: '2 min', file: binaries.coredns, build: (go, out) => install(go, out, `github.com/coredns/coredns@${versions.coredns}`) },
  ];
  const wanted = [];
  for (const step of wholeCluster ? steps : steps.slice(0, 1)) if (!(await isThere(step.file))) wanted.push(step);
  if (wanted.length === 0) return;
  await withGo(log, async (go) => {
    for (const { what, time, file, build } of wanted) {
      const start = performance.now();
      log(`building ${what} (${time}, once)`);
      await appearWhole(path.dirname(file), (partial) => build(go, partial));
      log(`building ${what}: done in ${Math.round((performance.now() - start) / 1000)} s`);
    }
  });
}

async function buildKubernetes(go, out, version) {
  const [major, minor] = version.slice(1).split('.');
  const set = (name, value) => `-X k8s.io/component-base/version.${name}=${value}`;
  const flags = [SMALL, set('gitVersion', version), set('gitMajor', major), set('gitMinor', minor), set('gitTreeState', 'clean')].join(' ');
  const options = { cwd: path.join(here, 'kubernetes'), env: { CGO_ENABLED: '0' } };
  await go(['build', '-trimpath', '-ldflags', flags, '-o', path.join(out, 'kubernetes'), '.'], options);
  await go(['build', '-trimpath', '-ldflags', SMALL, '-o', path.join(out, 'pause'), './pause'], options);
  for (const part of PARTS) await symlink('kubernetes', path.join(out, part));
}

const install = (go, out, name) => go(['install', '-trimpath', '-ldflags', SMALL, name], { env: { CGO_ENABLED: '0', GOBIN: out } });

/** Fills a folder under another name and renames it: it is there whole or not at all. */
async function appearWhole(folder, fill) {
  const partial = `${folder}.partial-${process.pid}`;
  await mkdir(partial, { recursive: true });
  try {
    await fill(partial);
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function missingFromDebian(wholeCluster) {
  const names = wholeCluster ? Object.keys(DEBIAN) : CONTROL_PLANE_ONLY;
  const missing = [];
  for (const name of names) if ((await findProgram(name)) === undefined) missing.push(name);
  return missing;
}

/** Not everybody's PATH has the folders of the administrator's programs. */
async function findProgram(name) {
  return (await findOnPath(name)) ?? (await findOnPath(`/usr/sbin/${name}`));
}

async function installFromDebian(log, programs) {
  if (programs.length === 0) return;
  const packages = [...new Set(programs.map((name) => DEBIAN[name]))];
  const command = `apt-get install --no-install-recommends ${packages.join(' ')}`;
  if (process.getuid() !== 0) throw new ClusterToolError(`${programs.join(', ')} not found. As root: ${command}`);
  log(`installing ${packages.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await runStep('apt-get', ['update', '-q'], { env });
    await runStep('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...packages], { env });
  } catch (error) {
    throw new ClusterToolError(`${error.message}\n${programs.join(', ')} could not be installed. Try: ${command}`);
  }
}

const isThere = (file) => stat(file).then(() => true, () => false);
