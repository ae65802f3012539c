// Our side: the product's own training on random images, paused between steps. Beside what every contestant answers it knows the line
// "profile N": N steps, answered with {"profile": {kernel: milliseconds a step, …}}; "memory", answered with {"peakBytes": …}; and "peak", with {"flops": a second}.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import readline from 'node:readline';

const DIST = path.resolve(import.meta.dirname, '../../dist/libs');
const { resolvePreset } = await import(`${DIST}/models/src/presets.js`);
const { tf, trainClassifier, trainDtn } = await import(`${DIST}/models/src/index.js`);
const { describeDiscriminator, describeExtractor, describeGenerator, describeHead } = await import(`${DIST}/models/src/networks.js`);
const { measurePeak } = await import('./peak.mjs');
const { watchKernels } = await import('./profile.mjs');
const { Dataset, ShardWriter } = await import(`${DIST}/tensors/src/index.js`);

const { preset: name, network, batchSize, folder } = JSON.parse(process.argv[2]);
const LABELS = 100;
const IMAGES = 4 * batchSize;
const FOREVER = 10_000_000;

const preset = resolvePreset(name);
const shape = [preset.imageSize, preset.imageSize, 3];
const source = await randomImages('source', 1);
const target = await randomImages('target', 2);

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
let wanted = 0;
let seconds = [];
let watch;
let profiling = false;

if (network === 'classifier') {
  say({ ready: { network, batchSize, shape, labels: LABELS, settings: preset.classifier, f: describeExtractor(preset, 3), head: describeHead(preset.f.featureSize, LABELS) } });
  await turn();
  await trainClassifier({ dataset: source, preset: { ...preset, f: { ...preset.f, augmentation: 'none' } }, seed: 1, outputDir: folder, steps: FOREVER, batchSize, onStep });
} else {
  await trainClassifier({ dataset: source, preset, seed: 1, outputDir: folder, steps: 2, batchSize });
  say({ ready: { network, batchSize, shape, settings: preset.dtn, f: describeExtractor(preset, 3), g: describeGenerator(preset, 3), D: describeDiscriminator(preset, 3) } });
  await turn();
  await trainDtn({ source, target, f: path.join(folder, 'f'), preset, seed: 1, outputDir: folder, steps: FOREVER, batchSize, onStep });
}

async function onStep({ seconds: took }) {
  seconds.push(took);
  if (--wanted > 0) return;
  say(profiling ? { profile: perStep(watch.take(), seconds) } : { seconds });
  await turn();
}

/** Waits for the next line: how many steps to do, or the end. */
async function turn() {
  const { value = 'end' } = await lines.next();
  if (value === 'end' || value === 'memory') {
    say({ peakBytes: Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024 });
    if (value === 'end') process.exit(0);
    return turn();
  }
  if (value === 'peak') {
    say({ flops: measurePeak(tf) });
    return turn();
  }
  const [, steps] = /^profile (\d+)$/.exec(value) ?? [];
  profiling = steps !== undefined;
  if (profiling) (watch ??= watchKernels(tf.backend())).take();
  wanted = Number(steps ?? value);
  seconds = [];
}

/** Milliseconds a step, and what of them is spent outside of TensorFlow. */
function perStep(milliseconds, taken) {
  const profile = Object.fromEntries(Object.entries(milliseconds).map(([kernel, ms]) => [kernel, ms / taken.length]));
  const all = (1000 * taken.reduce((a, b) => a + b, 0)) / taken.length;
  return { ...profile, JavaScript: all - Object.values(profile).reduce((a, b) => a + b, 0) };
}

function say(answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

async function randomImages(kind, seed) {
  const dir = path.join(folder, kind);
  const writer = new ShardWriter({ folder: dir, shape, labelNames: Array.from({ length: LABELS }, (_, i) => `person ${i}`), imagesPerShard: IMAGES, from: [] });
  let state = seed;
  for (let i = 0; i < IMAGES; i++) {
    const image = new Uint8Array(shape[0] * shape[1] * 3);
    for (let k = 0; k < image.length; k++) image[k] = (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 24;
    await writer.add(image, i % LABELS);
  }
  await writer.finish();
  return Dataset.open(dir);
}
