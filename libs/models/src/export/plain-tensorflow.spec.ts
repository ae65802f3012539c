import { execFile } from 'node:child_process';
import { createReadStream, promises as fs } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tf } from '../backend/tensorflow.js';
import { describeResidualGenerator, describeUNet } from '../image-networks.js';
import { Network } from '../layers/network.js';
import { describeExtractor, describeGenerator } from '../networks.js';
import { resolvePreset } from '../presets.js';
import { saveNetwork } from './layers-model.js';

const PREDICT = path.resolve(import.meta.dirname, '../testing/predict-in-plain-tensorflow.mjs');
const preset = resolvePreset('faces-32-test');
const DRAWING = { f: describeExtractor(preset, 3), g: describeGenerator(preset, 3), 'G of Pix2Pix': describeUNet(preset, 3), 'G of CycleGAN': describeResidualGenerator('G', preset, 3) };

let folder: string;
let server: Server;

beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'published-'));
  server = createServer((request, response) => createReadStream(path.join(folder, path.normalize(request.url!))).pipe(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  server.close();
  await fs.rm(folder, { recursive: true, force: true });
});

test.each(Object.entries(DRAWING))('%s as it is published draws the same in TensorFlow.js without anything of ours', async (name, description) => {
  const network = Network.create(description, 'xavier', 4);
  const place = name.replaceAll(' ', '-');
  await saveNetwork(network, path.join(folder, place));
  const { port } = server.address() as AddressInfo;
  const { stdout } = await promisify(execFile)(process.execPath, [PREDICT, `http://127.0.0.1:${port}/${place}/model.json`]);
  const { backend, output } = JSON.parse(stdout.trim().split('\n').at(-1)!) as { backend: string; output: number[] };
  const size = description.inputShape.reduce((a, b) => a * b, 1);
  const ours = network.apply(tf.linspace(-1, 1, size).reshape([1, ...description.inputShape]));
  expect(backend).toBe('cpu');
  expect(output).toHaveLength(ours.size);
  expect(ours.sub(tf.tensor(output, ours.shape)).abs().max().dataSync()[0]).toBeLessThan(1e-4);
});
