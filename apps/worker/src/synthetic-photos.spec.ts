import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dataset } from '@caricature/tensors';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ImpossibleError } from './stage.error.js';
import { drawDigits, isDigitsUri, parseSyntheticUri } from './synthetic-photos.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'synthetic-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const draw = (uri: string) => drawDigits(uri, 32, folder, new AbortController().signal, () => {});

describe('the address of drawn photos', () => {
  test('names people or digits', () => {
    expect(parseSyntheticUri('synthetic://people?count=5&images=4&seed=9')).toEqual({ people: 5, imagesPerPerson: 4, seed: 9 });
    expect(['synthetic://digits?count=30', 'synthetic://people', 'file:///digits', 'digits'].map(isDigitsUri)).toEqual([true, false, false, false]);
  });

  test('is refused with the setting that is wrong', async () => {
    expect(() => parseSyntheticUri('synthetic://people?count=0')).toThrow(/spec.source.photos.uri: count must be a whole number from 1 to 10000/);
    await expect(draw('synthetic://digits?images=4')).rejects.toThrow(/unknown setting images; there are count, seed/);
    await expect(draw('synthetic://digits?count=7')).rejects.toThrow(/spec.source.photos.uri: count must be a whole number from 20/);
    await expect(draw('synthetic://digits?count=7')).rejects.toBeInstanceOf(ImpossibleError);
  });
});

test('digits are drawn as training data', async () => {
  await draw('synthetic://digits?count=40&seed=3');
  const train = await Dataset.open(join(folder, 'train'));
  expect([train.count, train.manifest.labelNames.join('')]).toEqual([35, '0123456789']);
  train.close();
});
