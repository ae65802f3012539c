// npm run bench -- models [--json] [--quick]: training steps against PyTorch: the same layers, batch, threads and float32, taking turns.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { Contestant, takeTurns } from '../harness/contestant.mjs';
import { bringPython } from '../harness/python.mjs';
import { createRow, printRows } from '../harness/rows.mjs';

const HERE = import.meta.dirname;
const TORCH = ['torch==2.9.1', 'numpy==2.2.6'];
const CASES = [
  { what: 'DTN step, digits-32, batch 64', preset: 'digits-32', network: 'dtn', batchSize: 64 },
  { what: 'DTN step, faces-64, batch 32', preset: 'faces-64', network: 'dtn', batchSize: 32 },
  { what: 'DTN step, faces-152, batch 16', preset: 'faces-152', network: 'dtn', batchSize: 16 },
  { what: "f's step, digits-32, batch 128", preset: 'digits-32', network: 'classifier', batchSize: 128 },
  { what: "f's step, faces-64, batch 64", preset: 'faces-64', network: 'classifier', batchSize: 64 },
];
// Time against eager at most 0.9 of PyTorch's: a ratio of at least 1.11; torch.compile must be equalled.
const EAGER_GOAL = 1 / 0.9;

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const only = args.find((a) => a.startsWith('--only='))?.slice('--only='.length);
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
  const ours = await Contestant.start('ours', process.execPath, [path.join(HERE, 'ours.mjs'), JSON.stringify({ ...one, folder: await mkdtemp(path.join(folder, 'case-')) })], { TF_CPP_MIN_LOG_LEVEL: '3' });
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
    const times = await takeTurns([ours, ...peers], quick ? { turns: 2, rounds: 2, warmUp: 2 } : { turns: 6, rounds: 5, warmUp: 5 });
    const peaks = new Map();
    for (const c of [ours, ...peers]) peaks.set(c.name, await c.end());
    return rowsOf(one.what, times, peaks);
  } finally {
    for (const c of [ours, ...peers]) c.kill();
  }
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
