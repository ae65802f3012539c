import { expect, it } from 'vitest';
import { parseResource } from '@caricature/contracts';
import type { Resource } from '@caricature/reconciler';
import { aTrainingRun } from '../testing/a-controller.js';
import { observe, type Sources } from './observe.js';

it('of a resource that is being deleted nothing is gathered but its jobs: what could not be read must not hold it', async () => {
  const { metadata, ...written } = parseResource(aTrainingRun('going'));
  const going = { ...written, metadata: { ...metadata, uid: 'u', deletionTimestamp: '2026-01-01T00:00:00Z' } } as unknown as Resource;
  const job = { name: 'going-train-2', stage: 'train' as const, attempt: 2, state: 'Running' as const, terminal: false, disrupted: false };
  const stopped = { runUid: 'u', stage: 'train', attempt: 1, state: 'Failed', cached: false, key: 'k', startedAt: null, completedAt: null, exitCode: null, message: 'it was stopped', logUri: null, artifactDigest: null };
  const sources = {
    driver: { list: () => Promise.resolve([job]) },
    database: { stages: { list: () => Promise.resolve([stopped]) } },
    folderFingerprint: () => Promise.reject(new Error('the address makes no sense')),
  } as unknown as Sources;
  expect((await observe(going, sources)).jobs).toMatchObject([job, { name: 'going-train-1', state: 'Failed', message: 'it was stopped' }]);
});
