import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createArtifactStore, publishArtifact } from '@caricature/artifacts';
import { resolvePreset, saveNetwork } from '@caricature/models';
import { Network } from '../../../../libs/models/src/layers/network.js';
import { describeExtractor, describeGenerator } from '../../../../libs/models/src/networks.js';

const PRESET = resolvePreset('faces-32-test');
export const TINY_IMAGE_SIZE = PRESET.imageSize;

/** Publishes a real, untrained model, and gives its artifact's URI. */
export async function publishTinyModel(artifactsDir: string, key: string, seed: number): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'caricature-model-'));
  await saveNetwork(Network.create(describeExtractor(PRESET, 3), 'xavier', seed), join(dir, 'f'));
  await saveNetwork(Network.create(describeGenerator(PRESET, 3), 'xavier', seed), join(dir, 'g'));
  await writeFile(join(dir, 'card.json'), JSON.stringify({ imageSize: PRESET.imageSize, margin: 0.4 }));
  const root = pathToFileURL(artifactsDir).href;
  await publishArtifact(createArtifactStore(root), { stage: 'publish', key, dir });
  return `${root}/publish/${key}`;
}
