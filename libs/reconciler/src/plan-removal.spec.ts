import { parseResource, type StageName } from '@caricature/contracts';
import { describe, expect, it } from 'vitest';
import { belongingsOf, planRemoval, type Referrers } from './plan-removal.js';
import type { Resource } from './ports.js';

let made = 0;

function aResource(kind: 'CrawlJob' | 'TrainingRun', name: string, { spec = {}, keys = {}, phase = 'Running', going = false }: { spec?: object; keys?: Partial<Record<StageName, string>>; phase?: string; going?: boolean } = {}): Resource {
  const own = kind === 'CrawlJob' ? { source: { baseUrl: 'http://h' }, sampling: { count: 1 }, output: { dataset: 'd' } } : { source: { photos: { uri: 'file:///p' } }, target: { images: { uri: 'file:///t' } } };
  const manifest = parseResource({ apiVersion: 'caricature.dev/v1alpha1', kind, metadata: { name }, spec: { ...own, ...spec } });
  const stages = Object.entries(keys).map(([stage, key]) => ({ name: stage, state: 'Succeeded', attempts: 1, cached: false, artifact: { stage, key, digest: `digest of ${key}`, uri: `s3://a/${stage}/${key}` } }));
  const metadata = { ...manifest.metadata, uid: `u${++made}`, ...(going ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) };
  return { ...manifest, metadata, status: { phase, stages } } as unknown as Resource;
}

const run = aResource('TrainingRun', 'faces', { keys: { 'prepare-faces': 'a', train: 'b' }, going: true });
const crawl = aResource('CrawlJob', 'avatars', { keys: { crawl: 'c' }, going: true });
const referrers = (values: Partial<Referrers> = {}): Referrers => ({ resources: [run, crawl], attempts: [], published: new Set(), retained: new Map(), ...values });
const plan = (of: Resource, values: Partial<Referrers>) => {
  const { remove, kept } = planRemoval(of, belongingsOf(of, []), referrers(values));
  return { remove: remove.map(({ key }) => key), kept: kept.map(({ key, because }) => `${key}: ${because}`) };
};

describe('of a resource that is deleted', () => {
  it('everything belongs to it that it has made or taken, or was about to make, once', () => {
    expect(belongingsOf(run, [{ stage: 'train', key: 'b' }, { stage: 'evaluate', key: 'e' }])).toEqual([{ stage: 'prepare-faces', key: 'a' }, { stage: 'train', key: 'b' }, { stage: 'evaluate', key: 'e' }]);
    expect(belongingsOf({ ...run, status: undefined } as unknown as Resource, [])).toEqual([]);
  });

  const other = (values: Parameters<typeof aResource>[2] = {}) => aResource('TrainingRun', 'other', values);
  const seen = other();

  it.each<[string, Resource, Partial<Referrers>, { remove: string[]; kept: string[] }]>([
    ['goes where nobody else has to do with it', run, {}, { remove: ['a', 'b'], kept: [] }],
    ['stays where another has it', run, { resources: [run, other({ keys: { 'prepare-faces': 'a' }, phase: 'Succeeded' })] }, { remove: ['b'], kept: ['a: TrainingRun default/other refers to it'] }],
    ['goes where the other is being deleted too', run, { resources: [run, other({ keys: { 'prepare-faces': 'a' }, going: true })] }, { remove: ['a', 'b'], kept: [] }],
    ['stays where another is making it just now', run, { resources: [seen], attempts: [{ runUid: seen.metadata.uid, key: 'b' }] }, { remove: ['a'], kept: ['b: TrainingRun default/other refers to it'] }],
    ['goes where it was made by one that took its artifacts along', run, { attempts: [{ runUid: 'gone', key: 'b' }] }, { remove: ['a', 'b'], kept: [] }],
    ['stays where it was made by one that was to leave it', run, { attempts: [{ runUid: 'gone', key: 'b' }], retained: new Map([['gone', 'TrainingRun default/old']]) }, { remove: ['a'], kept: ['b: TrainingRun default/old, which made it, was to leave it'] }],
    ['stays where a model consists of it', run, { published: new Set(['b']) }, { remove: ['a'], kept: ['b: a version of a model consists of it'] }],
    ['stays where another is to read the faces', run, { resources: [other({ spec: { source: { dataset: 'faces' } } })] }, { remove: ['b'], kept: ['a: TrainingRun default/other refers to it'] }],
    ['stays where a run is to read the avatars, by the crawl', crawl, { resources: [other({ spec: { target: { crawlJobRef: { name: 'avatars' } } } })] }, { remove: [], kept: ['c: TrainingRun default/other refers to it'] }],
    ['stays where a run is to read the avatars, by the data set', crawl, { resources: [other({ spec: { target: { dataset: 'd' } } })] }, { remove: [], kept: ['c: TrainingRun default/other refers to it'] }],
    ['goes where that run is done', crawl, { resources: [other({ spec: { target: { crawlJobRef: { name: 'avatars' } } }, phase: 'Succeeded' })] }, { remove: ['c'], kept: [] }],
    ['goes where a run reads another crawl', crawl, { resources: [other({ spec: { target: { crawlJobRef: { name: 'more' } } } })] }, { remove: ['c'], kept: [] }],
  ])('%s', (_title, of, values, expected) => {
    expect(plan(of, values)).toEqual(expected);
  });
});
