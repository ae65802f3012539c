import { describe, expect, it } from 'vitest';
import { BAD_RESOURCES, CHANGES } from './testing/bad-resources.js';
import { immutableChanges, parseResource, type InvalidResourceError } from './validation.js';

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

  it.each(BAD_RESOURCES)('with $title is refused and the field named', ({ document, field, message }) => {
    expect(refusalOf(document)).toEqual([{ field, message: message ?? expect.any(String) }]);
  });

  it.each([
    ['another version', { ...run(), apiVersion: 'v1' }, 'apiVersion: must be caricature.dev/v1alpha1'],
    ['another kind', { ...run(), kind: 'Pod' }, 'kind: must be one of CrawlJob, TrainingRun'],
    ['a list', [], 'must be a mapping'],
  ])('that is %s is refused', (_title, document, message) => {
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
  it.each(CHANGES)('$title may or may not be', ({ before, after, fields }) => {
    expect(immutableChanges(parseResource(before).spec, parseResource(after).spec).sort()).toEqual(fields);
  });
});

function refusalOf(document: unknown): InvalidResourceError['fields'] {
  try {
    parseResource(document);
  } catch (error) {
    return (error as InvalidResourceError).fields;
  }
  return [];
}
