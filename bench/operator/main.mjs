// npm run bench -- operator [options]: the controller beside operators on controller-runtime (Go) and kopf (Python), on one API server.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { printRows } from '../harness/rows.mjs';

const HELP = `npm run bench -- operator [options]

Burst: many TrainingRuns are applied at once; each operator in turn, on the same API server, gives every run its first Job, its status and its
events. Scale: the controller alone with many finished and running TrainingRuns: its start, a time without changes, and changes.

  --runs N         runs of a burst (1000)
  --turns N        bursts of each operator (3)
  --peers A,B      of controller-runtime, kopf (both); "none" measures the controller alone
  --finished N     finished runs (10000)      --running N      running ones (500)
  --changes N      changes, ten a second (300)
  --idle N         seconds without a change (60)
  --only PART      burst or scale
  --quick          small sizes: says whether it works, not how fast it is
  --json           rows as JSON               --details FILE   every turn's figures, as JSON`;

const { values } = parseArgs({
  options: {
    runs: { type: 'string' }, turns: { type: 'string' }, peers: { type: 'string', default: 'controller-runtime,kopf' },
    finished: { type: 'string' }, running: { type: 'string' }, changes: { type: 'string' }, idle: { type: 'string' }, only: { type: 'string' },
    quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false }, details: { type: 'string' }, help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const SIZES = values.quick
  ? { runs: 50, turns: 1, warmUp: 10, finished: 200, running: 20, changes: 20, idle: 10 }
  : { runs: 1000, turns: 3, warmUp: 100, finished: 10_000, running: 500, changes: 300, idle: 60 };
const sizes = Object.fromEntries(Object.entries(SIZES).map(([name, usual]) => [name, values[name] === undefined ? usual : Number(values[name])]));
const log = (line) => process.stderr.write(`${line}\n`);

// These read the built controller: --help needs none of it.
const { measureBursts } = await import('./bursts.mjs');
const { measureScale } = await import('./scale.mjs');
const { Place } = await import('./place.mjs');
const { burstRows, scaleRows } = await import('./report.mjs');

const folder = await mkdtemp(path.join(os.tmpdir(), 'caricature-operator-'));
let place;
let closing;
// PostgreSQL is no child of ours: it has to be told that we end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => void close().finally(() => process.exit(1)));
try {
  place = await Place.open({ folder, log });
  const details = {};
  const rows = [];
  if (values.only !== 'scale') {
    details.bursts = await measureBursts(place, { ...sizes, peers: values.peers.split(',') }, log);
    rows.push(...burstRows(details.bursts, sizes.runs));
  }
  if (values.only !== 'burst') {
    details.scale = await measureScale(place, sizes, log);
    rows.push(...scaleRows(details.scale, sizes));
  }
  printRows(rows, values.json);
  if (values.details) await writeFile(values.details, JSON.stringify(details, null, 2));
} finally {
  await close();
}

/** Once, whoever asks first: what is cut off by it ends in the same place. */
function close() {
  closing ??= (async () => {
    await place?.close();
    await rm(folder, { recursive: true, force: true });
  })();
  return closing;
}
