import { expect, it } from 'vitest';
import type { Execution, Resource } from '@caricature/reconciler';
import { anAssignment, aWorkerPods } from '../testing/worker-pods.js';
import { jobManifest } from './job-manifest.js';

const resource = { kind: 'CrawlJob', metadata: { namespace: 'default', name: 'faces', uid: '1' } } as Resource;

function environmentOf(execution: Execution): Record<string, string | undefined> {
  const { spec } = jobManifest(anAssignment(resource), execution, aWorkerPods({ environment: { CARICATURE_PARTS: '9', LANG: 'C' } })).spec!.template;
  return Object.fromEntries(spec!.containers[0]!.env!.map(({ name, value }) => [name, value]));
}

it('tells each of several processes how many they are, as Kubernetes tells it which of them it is', () => {
  expect(environmentOf({ parallelism: 3 })).toMatchObject({ CARICATURE_PARTS: '3', LANG: 'C' });
});

it('tells one process that it is alone', () => {
  expect(environmentOf({})).toMatchObject({ CARICATURE_PARTS: '1' });
  expect(environmentOf({ parallelism: 1 })).toMatchObject({ CARICATURE_PARTS: '1' });
});
