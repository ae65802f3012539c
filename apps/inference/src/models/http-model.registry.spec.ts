import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createArtifactStore, publishArtifact } from '@caricature/artifacts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startController } from '../testing/controller.server.js';
import type { TestController } from '../testing/controller.server.js';
import { HttpModelRegistry } from './http-model.registry.js';

let controller: TestController;
let root: string;
let registry: HttpModelRegistry;

beforeEach(async () => {
  controller = await startController();
  const dir = await mkdtemp(join(tmpdir(), 'caricature-artifacts-'));
  root = pathToFileURL(dir).href;
  const files = await mkdtemp(join(tmpdir(), 'caricature-model-'));
  await writeFile(join(files, 'card.json'), '{"imageSize": 64}');
  await publishArtifact(createArtifactStore(root), { stage: 'publish', key: 'abc', dir: files });
  registry = new HttpModelRegistry({ controllerUrl: controller.url, artifactsUri: root, cacheDir: join(dir, 'cache') });
});

afterEach(() => controller.close());

describe('the registry of models at the controller', () => {
  it.each([['with its root', () => `${root}/publish/abc`], ['below the known root', () => 'publish/abc']])("gives an alias's version and files: artifact %s", async (_, uri) => {
    controller.aliases.set('faces/staging', { version: '3', artifactUri: uri() });
    const { version, folder } = await registry.resolve('faces', 'staging');
    expect(version).toBe('3');
    expect(await readFile(join(folder, 'card.json'), 'utf8')).toBe('{"imageSize": 64}');
  });

  it('tells a model that is not there from one that cannot be had now', async () => {
    await expect(registry.resolve('faces', 'staging')).rejects.toMatchObject({ code: 'ModelNotFound', retryable: false });
    controller.aliases.set('faces/staging', { version: '3', artifactUri: 'publish/gone' });
    await expect(registry.resolve('faces', 'staging')).rejects.toMatchObject({ code: 'ModelUnavailable', retryable: true });
    await controller.close();
    await expect(registry.resolve('faces', 'staging')).rejects.toMatchObject({ code: 'ModelUnavailable', message: expect.stringContaining(controller.url) });
  });
});
