import { describe, expect, it } from 'vitest';
import type { TrainingRun } from '@caricature/contracts';
import type { Resource, ResourceStatus } from '@caricature/reconciler';
import { hasFaces, takesFrom } from './status-changes.js';

const aRun = (spec: object): TrainingRun => ({ kind: 'TrainingRun', metadata: { name: 'run' }, spec: { source: {}, ...spec } }) as TrainingRun;
const aCrawl = { kind: 'CrawlJob', metadata: { name: 'avatars' }, spec: { output: { dataset: 'drawn' } } } as Resource;

describe('what one resource makes', () => {
  it.each([
    ['a crawl that it names', aRun({ target: { crawlJobRef: { name: 'avatars' } } }), aCrawl, true],
    ["a crawl's data set", aRun({ target: { dataset: 'drawn' } }), aCrawl, true],
    ["another run's faces", aRun({ source: { dataset: 'other' } }), { kind: 'TrainingRun', metadata: { name: 'other' }, spec: {} } as Resource, true],
    ['no other crawl', aRun({ target: { crawlJobRef: { name: 'photos' } } }), aCrawl, false],
    ['no other data set', aRun({ target: { dataset: 'photographed' } }), aCrawl, false],
    ['nothing of a run of which it names a crawl', aRun({ target: { crawlJobRef: { name: 'other' } } }), { kind: 'TrainingRun', metadata: { name: 'other' }, spec: {} } as Resource, false],
  ])('a run takes %s', (_title, run, maker, takes) => {
    expect(takesFrom(run, maker)).toBe(takes);
  });

  it('is faces once they have an artifact', () => {
    const status = (stage: object) => ({ stages: [{ name: 'prepare-faces', ...stage }] }) as ResourceStatus;
    expect([hasFaces(undefined), hasFaces(status({})), hasFaces(status({ artifact: {} }))]).toEqual([false, false, true]);
  });
});
