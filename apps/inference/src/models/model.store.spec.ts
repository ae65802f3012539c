import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readInferenceEnv } from '../inference.env.js';
import { InferenceError } from '../inference.error.js';
import { InferenceMetrics } from '../metrics/inference.metrics.js';
import type { Caricaturist } from './caricaturist.port.js';
import { ModelStore } from './model.store.js';

/** A registry in memory, and models that only remember whether they were let go. */
function aStore() {
  const versions = new Map<string, string>([['faces@staging', '1']]);
  const disposed: string[] = [];
  const registry = {
    resolve: async (name: string, alias: string) => {
      const version = versions.get(`${name}@${alias}`);
      if (version === 'down') throw new InferenceError('ModelUnavailable', 'The controller does not answer.');
      if (version === undefined) throw new InferenceError('ModelNotFound', 'There is no such model.');
      return { version, folder: `${name}@${alias}:${version}` };
    },
  };
  const load = async (folder: string): Promise<Caricaturist> => {
    if (folder.endsWith(':broken')) throw new Error('bad weights');
    return { imageSize: 1, margin: 0, draw: async (faces) => faces, dispose: () => disposed.push(folder) };
  };
  const env = readInferenceEnv({ MODEL: 'faces@staging', MODELS_POLL_SECONDS: '5' });
  return { versions, disposed, store: new ModelStore(env, registry, load, new InferenceMetrics()) };
}

Logger.overrideLogger(false);
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function poll(): Promise<void> {
  await vi.advanceTimersByTimeAsync(5000);
}

describe('the models served', () => {
  it('loads the default model by itself and any other when it is asked for', async () => {
    const { store, versions } = aStore();
    versions.set('faces@production', '7');
    expect((await store.getModel()).version).toBe('1');
    expect((await store.getModel('faces@production')).label).toBe('faces@production');
    await expect(store.getModel('nobody')).rejects.toMatchObject({ code: 'ModelNotFound' });
    await expect(store.getModel('../x')).rejects.toMatchObject({ code: 'InvalidRequest' });
  });

  it('serves a new version once it is published, and lets the old one go when its last request is answered', async () => {
    const { store, versions, disposed } = aStore();
    store.onApplicationBootstrap();
    await poll();
    const old = await store.getModel();
    await old.use(async () => {
      versions.set('faces@staging', '2');
      await poll();
      expect((await store.getModel()).version).toBe('2');
      expect(disposed).toEqual([]);
    });
    expect(disposed).toEqual(['faces@staging:1']);
    store.onApplicationShutdown();
  });

  it.each(['down', 'broken'])('keeps serving the old version while the new one cannot be had (%s)', async (trouble) => {
    const { store, versions, disposed } = aStore();
    store.onApplicationBootstrap();
    await poll();
    versions.set('faces@staging', trouble);
    await poll();
    expect((await store.getModel()).version).toBe('1');
    expect(disposed).toEqual([]);
    versions.set('faces@staging', '3');
    await poll();
    expect((await store.getModel()).version).toBe('3');
    store.onApplicationShutdown();
  });

  it('stops serving what is no longer published', async () => {
    const { store, versions, disposed } = aStore();
    store.onApplicationBootstrap();
    await poll();
    versions.delete('faces@staging');
    await poll();
    await expect(store.getModel()).rejects.toMatchObject({ code: 'ModelNotFound' });
    expect(disposed).toEqual(['faces@staging:1']);
    store.onApplicationShutdown();
  });

  it('keeps few models in memory: the one asked for longest ago goes, never the default', async () => {
    const { store, versions, disposed } = aStore();
    await store.getModel();
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      versions.set(`${name}@staging`, '1');
      await store.getModel(name);
    }
    expect(disposed).toEqual(['a@staging:1', 'b@staging:1']);
  });

  it('loads a model once for many requests at the same time', async () => {
    const { store } = aStore();
    const models = await Promise.all(Array.from({ length: 5 }, () => store.getModel()));
    expect(new Set(models).size).toBe(1);
  });
});
