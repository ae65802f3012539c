// What only tests need, beside the project's own dependencies. Each is brought where this machine can bring it; the specs that use
// one that is not there are left out and named.
import { execFile } from 'node:child_process';
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { runStep } from '../setup/child.mjs';
import { findOnPath } from '../setup/prerequisites.mjs';
import { bringBinaries, findMissingBinaries } from '../../test/cluster/binaries.mjs';
import { bringServerImages } from '../../test/cluster/images.mjs';
import { cacheFolder } from './cache.mjs';
import { findChartTools } from './chart-tools.mjs';
import { hasVersitygw, installVersitygw, versitygw, VERSITYGW } from './versitygw.mjs';

const run = promisify(execFile);

const PYTHON_PACKAGES = { numpy: '2.2.6', 'scikit-image': '0.25.2', 'opencv-python-headless': '4.12.0.88', webdataset: '1.0.2' };

/** The Python that has the tests' packages. */
export function testPython() {
  return process.env.CARICATURE_PYTHON || path.join(cacheFolder(), 'python/bin/python');
}

/**
 * @returns {{name: string, isThere: () => Promise<boolean>, bring?: (log: (line: string) => void) => Promise<void>, mend: string, usedBy: RegExp}[]}
 *   `usedBy` is found in the source of the specs that need the tool.
 */
export function findTestTools() {
  return [
    {
      name: `Python with ${Object.keys(PYTHON_PACKAGES).join(', ')}`,
      isThere: hasPythonPackages,
      bring: installPythonPackages,
      mend: 'apt-get install python3-pip, and let npm test reach PyPI',
      usedBy: /(python\.env|real-photos)\.js'/,
    },
    {
      name: 'versitygw, an S3 server',
      isThere: hasVersitygw,
      bring: installVersitygw,
      mend: `let npm test reach PyPI and the Go module proxy, or: GOBIN=${path.dirname(versitygw())} go install ${VERSITYGW}`,
      usedBy: /s3\.server\.js'/,
    },
    {
      name: 'an API server of Kubernetes with etcd',
      isThere: async () => (await findMissingBinaries({ wholeCluster: false })).length === 0,
      bring: (log) => bringBinaries({ log, wholeCluster: false }),
      mend: 'apt-get install etcd-server, and let npm test reach the Go module proxy',
      usedBy: /control-plane\.mjs'/,
    },
    {
      name: 'a Kubernetes that runs pods',
      isThere: async () => Boolean(process.env.KUBECONFIG),
      bring: bringCluster,
      mend: 'run the tests as root on Debian 12, or set KUBECONFIG',
      usedBy: /\/cluster\.mjs'/,
    },
    ...findChartTools(),
    { name: 'Chromium', isThere: async () => (await findOnPath('/usr/bin/chromium')) !== undefined, mend: 'apt-get install chromium', usedBy: /'playwright-core'/ },
  ];
}

/**
 * What the machine must be able to do. The specs start the cluster themselves, so that it burdens no others, and build the program's own images: one that
 * cannot be built is a failure, not a tool that is not there.
 */
async function bringCluster(log) {
  if (process.getuid() !== 0) throw new Error('a cluster with a node needs root');
  await bringBinaries({ log });
  await bringServerImages({ log });
}

async function hasPythonPackages() {
  const script = 'import sys, importlib.metadata as m; [m.version(n) for n in sys.argv[1:]]';
  return run(testPython(), ['-c', script, ...Object.keys(PYTHON_PACKAGES)]).then(() => true, () => false);
}

/** Puts the packages beside a small `python` that finds them: unlike a virtual environment, this needs no more than pip. */
async function installPythonPackages(log) {
  const python = await findOnPath('python3');
  if (!python) throw new Error('python3 is not on PATH');
  if (process.env.CARICATURE_PYTHON) throw new Error(`the Python named by CARICATURE_PYTHON lacks them: ${process.env.CARICATURE_PYTHON}`);
  const target = path.join(cacheFolder(), 'python');
  const partial = `${target}.partial-${process.pid}`;
  log('installing the Python packages of the tests (about a minute)');
  await mkdir(path.join(partial, 'bin'), { recursive: true });
  try {
    const pinned = Object.entries(PYTHON_PACKAGES).map(([name, version]) => `${name}==${version}`);
    await runStep(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', path.join(partial, 'site'), ...pinned], {});
    const wrapper = path.join(partial, 'bin/python');
    await writeFile(wrapper, `#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\nPYTHONPATH="$here/../site" exec "${python}" "$@"\n`);
    await chmod(wrapper, 0o755);
    await rm(target, { recursive: true, force: true });
    await rename(partial, target);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}
