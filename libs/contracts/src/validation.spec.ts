import { describe, expect, it } from 'vitest';
import { immutableChanges, parseResource } from './validation.js';

const crawl = (spec: Record<string, unknown> = {}) => ({
  apiVersion: 'caricature.dev/v1alpha1',
  kind: 'CrawlJob',
  metadata: { name: 'avatars' },
  spec: { source: { baseUrl: 'http://127.0.0.1:3200' }, sampling: { count: 10 }, ...spec },
});

const run = (spec: Record<string, unknown> = {}) => ({
  apiVersion: 'caricature.dev/v1alpha1',
  kind: 'TrainingRun',
  metadata: { name: 'faces' },
  spec: { source: { photos: { uri: 'file:///photos' } }, target: { crawlJobRef: { name: 'avatars' } }, ...spec },
});

describe('a resource', () => {
  it('gets its defaults at every level', () => {
    expect(parseResource(crawl()).spec).toMatchObject({ politeness: { respectRobotsTxt: true, maxRetries: 5 }, image: { width: 152 }, suspend: false });
    expect(parseResource(run()).spec).toMatchObject({ model: { architecture: 'DTN', preset: 'faces-64' }, seed: 1, backoffLimit: 3 });
  });

  it.each([
    ['an unknown field', crawl({ speed: 3 }), 'spec.speed: unknown field'],
    ['an unknown nested field', crawl({ politeness: { rps: 3 } }), 'spec.politeness.rps: unknown field'],
    ['a count of nought', crawl({ sampling: { count: 0 } }), 'spec.sampling.count'],
    ['an address that is none', crawl({ source: { baseUrl: 'nowhere' } }), 'spec.source.baseUrl'],
    ['a file as the avatar source', crawl({ source: { baseUrl: 'file:///etc/passwd' } }), 'spec.source.baseUrl'],
    ['the old API without a template', crawl({ source: { baseUrl: 'http://h', api: 'Legacy' } }), 'spec.source.template: is needed by the Legacy API'],
    ['two catalogs', crawl({ source: { baseUrl: 'http://h', catalog: { url: 'http://h/c', discover: {} } } }), 'spec.source.catalog: exactly one of'],
    ['discovery from nowhere', crawl({ source: { baseUrl: 'http://h', catalog: { discover: { hair: { from: 1, to: 2 } } } } }), 'spec.source.knownGood: is needed'],
    ['a range upside down', crawl({ source: { baseUrl: 'http://h', knownGood: { hair: 1 }, catalog: { discover: { hair: { from: 3, to: 2 } } } } }), 'spec.source.catalog.discover.hair.to'],
    ['no target', { ...run(), spec: { source: { dataset: 'd' } } }, 'spec.target: is needed by this architecture'],
    ['photos and a data set', run({ source: { dataset: 'd', photos: { uri: 'file:///p' } } }), 'spec.source: exactly one of photos and dataset'],
    ['a learning rate of nought', run({ train: { learningRate: 0 } }), 'spec.train.learningRate'],
    ['an unknown preset', run({ model: { preset: 'huge' } }), 'spec.model.preset'],
    ['a bad name', { ...run(), metadata: { name: 'Faces!' } }, 'metadata.name'],
    ['another version', { ...run(), apiVersion: 'v1' }, 'apiVersion: must be caricature.dev/v1alpha1'],
    ['another kind', { ...run(), kind: 'Pod' }, 'kind: must be one of CrawlJob, TrainingRun'],
    ['a list', [], 'must be a mapping'],
  ])('with %s is refused and the field named', (_title, document, message) => {
    expect(() => parseResource(document)).toThrow(message);
  });

  it('names every wrong field at once', () => {
    expect(() => parseResource(run({ seed: -1, speed: 1 }))).toThrow(/spec\.seed.*spec\.speed|spec\.speed.*spec\.seed/);
  });

  it('read from a store can be applied again', () => {
    const stored = { ...crawl(), status: { phase: 'Running' } };
    expect(parseResource({ ...stored, metadata: { ...stored.metadata, uid: 'u', generation: 2, resourceVersion: '9' } }).metadata.name).toBe('avatars');
  });
});

describe('a changed spec', () => {
  it('may suspend, change the time to live and the alias', () => {
    const before = parseResource(run({ publish: { model: 'm' } })).spec;
    const after = parseResource(run({ suspend: true, ttlSecondsAfterFinished: 5, publish: { model: 'm', alias: 'production' } })).spec;
    expect(immutableChanges(before, after)).toEqual([]);
  });

  it('may change nothing else', () => {
    const before = parseResource(run()).spec;
    const after = parseResource(run({ seed: 2, train: { steps: 7 } })).spec;
    expect(immutableChanges(before, after)).toEqual(['spec.train.steps', 'spec.seed']);
  });
});
