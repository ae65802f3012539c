// npm run bench -- models: training steps against PyTorch: the same layers, batch, threads and float32, taking turns.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { Contestant, takeTurns } from '../harness/contestant.mjs';
import { bringPython } from '../harness/python.mjs';
import { createRow, printRows } from '../harness/rows.mjs';
import { stepFlops } from './flops.mjs';

const HERE = import.meta.dirname;
const TORCH = ['torch==2.9.1', 'numpy==2.2.6'];
const CASES = [
  { what: 'DTN step, digits-32, batch 64', preset: 'digits-32', network: 'dtn', batchSize: 64 },
  { what: 'DTN step, faces-64, batch 32', preset: 'faces-64', network: 'dtn', batchSize: 32 },
  { what: 'DTN step, faces-152, batch 16', preset: 'faces-152', network: 'dtn', batchSize: 16, pace: { turns: 6, rounds: 4, warmUp: 3 } },
  { what: 'DTN step, report-152, batch 16', preset: 'report-152', network: 'dtn', batchSize: 16, pace: { turns: 6, rounds: 2, warmUp: 3 } },
  { what: "f's step, digits-32, batch 128", preset: 'digits-32', network: 'classifier', batchSize: 128 },
  { what: "f's step, faces-64, batch 64", preset: 'faces-64', network: 'classifier', batchSize: 64 },
  { what: "f's step, faces-152, batch 64", preset: 'faces-152', network: 'classifier', batchSize: 64, pace: { turns: 6, rounds: 4, warmUp: 3 } },
];
// Time against eager at most 0.9 of PyTorch's: a ratio of at least 1.11; torch.compile must be equalled.
const EAGER_GOAL = 1 / 0.9;

const HELP = `npm run bench -- models [options]
  Times training steps beside PyTorch's (eager in both memory layouts, and torch.compile): milliseconds, the share of the fastest convolution that this
  machine was measured to do, and peak memory.
  --only=TEXT    only the cases whose network and preset (dtn/faces-64) contain TEXT
  --no-compile   leave torch.compile out: it takes minutes to compile
  --profile      say, too, which of TensorFlow's kernels take a step's time when they are called one by one
  --quick        few rounds: whether it runs, not how fast
  --json         rows as JSON`;

const args = process.argv.slice(2);
if (args.includes('--help')) {
  process.stdout.write(`${HELP}\n`);
  process.exit(0);
}
const quick = args.includes('--quick');
const only = args.find((a) => a.startsWith('--only='))?.slice('--only='.length);
const profiled = args.includes('--profile');
const compiled = !args.includes('--no-compile');
const log = (line) => process.stderr.write(`${line}\n`);

const python = await bringPython('torch-2.9.1', TORCH, log);
const folder = await mkdtemp(path.join(os.tmpdir(), 'caricature-bench-'));
const rows = [];
try {
  for (const one of CASES.filter((c) => !only || `${c.network}/${c.preset}`.includes(only))) rows.push(...(await compare(one)));
  printRows(rows, args.includes('--json'));
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function compare(one) {
  log(`${one.what} …`);
  const ours = await startOurs(one);
  const plan = path.join(folder, 'plan.json');
  await writeFile(plan, JSON.stringify(ours.about));
  const peers = [];
  try {
    for (const [name, options] of Object.entries(variants())) {
      try {
        peers.push(await Contestant.start(name, python, [path.join(HERE, 'torch_peer.py'), plan, ...options]));
      } catch (error) {
        log(`${name} cannot be measured here: ${String(error.message).trim().split('\n').at(-1)}`);
      }
    }
    const times = await takeTurns([ours, ...peers], quick ? { turns: 2, rounds: 2, warmUp: 2 } : (one.pace ?? { turns: 6, rounds: 5, warmUp: 5 }));
    // Asked for last: its images would count in the peak memory.
    const memory = new Map();
    for (const c of [ours, ...peers]) memory.set(c.name, (await c.ask('memory')).peakBytes);
    const peak = Math.max(...(await inTurn([ours, ...peers], async (c) => (await c.ask('peak')).flops)));
    for (const c of [ours, ...peers]) await c.end();
    return [...rowsOf(one.what, times, memory), ...shareRows(one.what, times, stepFlops(ours.about), peak), ...(profiled ? profileRows(one.what, await profileOf(one)) : [])];
  } finally {
    for (const c of [ours, ...peers]) c.kill();
  }
}

async function startOurs(one, env = {}) {
  const place = await mkdtemp(path.join(folder, 'case-'));
  return Contestant.start('ours', process.execPath, [path.join(HERE, 'ours.mjs'), JSON.stringify({ ...one, folder: place })], { TF_CPP_MIN_LOG_LEVEL: '3', ...env });
}

/** Of the step as kernels that are called one by one: in a graph they cannot be told apart. */
async function profileOf(one) {
  const ours = await startOurs(one, { CARICATURE_COMPILE: 'off' });
  try {
    await ours.rounds(quick ? 2 : 5);
    return (await ours.ask(`profile ${quick ? 3 : 15}`)).profile;
  } finally {
    ours.kill();
  }
}

async function inTurn(contestants, ask) {
  const answers = [];
  for (const contestant of contestants) answers.push(await ask(contestant));
  return answers;
}

function variants() {
  return { 'torch eager NCHW': ['--layout=nchw'], 'torch eager NHWC': ['--layout=nhwc'], ...(compiled ? { 'torch.compile': ['--layout=nhwc', '--compile'] } : {}) };
}

function rowsOf(what, times, peaks) {
  const pick = (figures, test) => Object.fromEntries([...figures].filter(([name]) => test(name)));
  const eager = (name) => name.includes('eager');
  const milliseconds = new Map([...times].map(([name, s]) => [name, s * 1000]));
  const row = (suffix, test, goal) => createRow({ what: `${what}${suffix}`, unit: 'ms', ours: milliseconds.get('ours'), peers: pick(milliseconds, test), goal });
  const megabytes = new Map([...peaks].map(([name, bytes]) => [name, bytes / 2 ** 20]));
  return [
    row('', eager, EAGER_GOAL),
    ...(times.has('torch.compile') ? [row(', compiled', (name) => name === 'torch.compile', 1)] : []),
    createRow({ what: `${what}, peak memory`, unit: 'MiB', ours: megabytes.get('ours'), peers: pick(megabytes, eager), goal: 1 }),
  ];
}

/** What a step's convolutions and dense layers need, had they the whole step, as a share of the fastest convolution that any of the contestants did. */
function shareRows(what, times, flops, peak) {
  const shares = Object.fromEntries([...times].map(([name, s]) => [name, (100 * flops) / s / peak]));
  const { ours, ...peers } = shares;
  return [createRow({ what: `${what}, share of ${(peak / 1e9).toFixed(0)} GFLOP/s`, unit: '%', ours, peers, lowerIsBetter: false })];
}

/** The kernels that take a fiftieth of the step or more, the slowest first, and the rest as one. */
function profileRows(what, profile) {
  const all = Object.values(profile).reduce((a, b) => a + b, 0);
  const entries = Object.entries(profile).sort(([, a], [, b]) => b - a);
  const shown = entries.filter(([, ms]) => ms >= all / 50);
  const rest = entries.filter(([, ms]) => ms < all / 50);
  const rows = rest.length > 0 ? [...shown, [`${rest.length} others`, rest.reduce((sum, [, ms]) => sum + ms, 0)]] : shown;
  return rows.map(([kernel, ms]) => createRow({ what: `${what}: ${kernel}`, unit: 'ms', ours: ms, peers: {} }));
}
