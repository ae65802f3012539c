// npm run bench -- reference [--seed N]: the preset digits-32 trained whole in PyTorch, on the data that experiments/digits-32 trains on.
import { execFile } from 'node:child_process';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { bringPython } from '../harness/python.mjs';

const HERE = import.meta.dirname;
const ROOT = path.join(HERE, '../..');
const IMAGES = 1000;
const SCORED = 128;
const DRAWN = { count: 48_000, seed: 1 };
const REAL = path.join(ROOT, 'experiments/digits/real');

const HELP = `npm run bench -- reference [--seed N]
  Trains the preset digits-32 whole in PyTorch, on the data that experiments/digits-32 trains on (first: experiments/digits/prepare), and prints its
  scores as JSON.
  --seed N       the seed (1)`;

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  console.log(HELP);
  process.exit(0);
}
const seedAt = process.argv.indexOf('--seed');
const seed = seedAt < 0 ? 1 : Number(process.argv[seedAt + 1]);
const log = (line) => process.stderr.write(`${line}\n`);
const lib = (file) => import(path.join(ROOT, 'dist/libs', file));

const python = await bringPython('torch-2.9.1', ['torch==2.9.1', 'numpy==2.2.6'], log);
await access(REAL).catch(() => {
  throw new Error('run experiments/digits/prepare first');
});
const folder = await mkdtemp(path.join(os.tmpdir(), 'caricature-reference-'));
try {
  const plan = path.join(folder, 'plan.json');
  await writeFile(plan, JSON.stringify(await createPlan(await prepareData(folder))));
  const run = promisify(execFile)(python, [path.join(HERE, 'dtn.py'), plan]);
  run.child.stderr.pipe(process.stderr);
  console.log((await run).stdout.trim());
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function prepareData(folder) {
  const [{ generateDigits }, { prepareFaces }] = [await lib('digits/src/index.js'), await lib('faces/src/index.js')];
  const [source, target] = [path.join(folder, 'source'), path.join(folder, 'target')];
  log('drawing the source, packing the target …');
  await generateDigits({ ...DRAWN, size: 32, outDir: source });
  await prepareFaces({ photosDir: REAL, outDir: target, size: 32, detect: false, minImagesPerPerson: 1, seed });
  const of = (domain, split) => path.join(domain, split);
  return { sourceTrain: of(source, 'train'), sourceHeldOut: of(source, 'heldout'), targetTrain: of(target, 'train'), targetHeldOut: of(target, 'heldout') };
}

/** The networks and numbers that our own training takes. */
async function createPlan(data) {
  const [{ resolvePreset }, networks] = [await lib('models/src/presets.js'), await lib('models/src/networks.js')];
  const preset = resolvePreset('digits-32');
  const judge = { imageSize: preset.imageSize, f: { ...preset.f, width: preset.judge.width, levels: preset.judge.levels, featureSize: preset.judge.featureSize } };
  return {
    seed,
    data,
    images: IMAGES,
    initialization: preset.initialization,
    augmentation: preset.f.augmentation,
    classifier: preset.classifier,
    dtn: preset.dtn,
    judgeSettings: { ...preset.judge, steps: Math.min(250, preset.judge.steps) },
    f: networks.describeExtractor(preset, 3),
    head: networks.describeHead(preset.f.featureSize, 10),
    // Ours draws a target without colour in one channel.
    g: networks.describeGenerator(preset, 1),
    colour: false,
    scored: SCORED,
    D: networks.describeDiscriminator(preset, 3),
    judge: networks.describeExtractor(judge, 3),
    judgeHead: networks.describeHead(preset.judge.featureSize, 10),
  };
}
