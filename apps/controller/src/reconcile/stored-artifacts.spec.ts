import { expect, it } from 'vitest';
import { ArtifactError } from '@caricature/artifacts';
import { StoredArtifacts } from './stored-artifacts.js';

const MINUTE_MS = 60_000;
const ARTIFACT = { stage: 'crawl', key: 'k' };
/** What a marker says of an artifact without files. */
const MARKER = Buffer.from(JSON.stringify({ ...ARTIFACT, files: [], from: [], digest: '4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945', createdAt: '', metadata: {} }));
const missing = () => Promise.reject(new ArtifactError('NotFound', 'it is not there'));

function aStore() {
  const told = { asked: [] as string[], forgotten: [] as string[], answer: (): Promise<Buffer> => Promise.resolve(MARKER), nowMs: 0 };
  const store = { get: (name: string) => (told.asked.push(name), told.answer()) };
  const forget = (key: string) => Promise.resolve(void told.forgotten.push(key));
  return { told, stored: new StoredArtifacts(store, { forget }, () => told.nowMs) };
}

it('asks for an artifact once in a while, not every time', async () => {
  const { told, stored } = aStore();
  const seen = [await stored.has(ARTIFACT), await stored.has(ARTIFACT)];
  expect([seen, told.asked]).toEqual([[true, true], ['crawl/k/artifact.json']]);
  told.nowMs = MINUTE_MS;
  await stored.has(ARTIFACT);
  expect(told.asked).toHaveLength(2);
});

it('forgets what is gone, at once', async () => {
  const { told, stored } = aStore();
  told.answer = missing;
  expect([await stored.has(ARTIFACT), told.forgotten]).toEqual([false, ['k']]);
});

it('forgets nothing that cannot be read just now', async () => {
  const { told, stored } = aStore();
  told.answer = () => Promise.reject(new ArtifactError('StoreUnreachable', 'nobody answers'));
  expect([await stored.has(ARTIFACT), told.forgotten]).toEqual([true, []]);
});
