import { describe, expect, it } from 'vitest';
import { parseResource, type ArtifactRef, type StageName, type StageStatus, type TrainingRun } from '@caricature/contracts';
import { renderSummary } from './summary.js';

const artifact = (stage: StageName): ArtifactRef => ({ stage, key: 'k', digest: 'd', uri: `file:///artifacts/${stage}` });
const done = (name: StageName): StageStatus => ({ name, state: 'Succeeded', attempts: 1, cached: false, artifact: artifact(name) });

function summary(publish?: { model: string; alias?: string }): string {
  const spec = { source: { photos: { uri: 'synthetic://people' } }, target: { dataset: 'avatars' }, ...(publish && { publish }) };
  const run = parseResource({ apiVersion: 'caricature.dev/v1alpha1', kind: 'TrainingRun', metadata: { name: 'one' }, spec }) as unknown as TrainingRun;
  const stages = [done('evaluate'), ...(publish ? [done('publish')] : [])];
  run.status = { observedGeneration: 1, phase: 'Succeeded', conditions: [], stages };
  return renderSummary([run], { inferenceUrl: 'http://127.0.0.1:3100', servedModel: 'caricature@production', once: false });
}

describe('what is printed once a run has succeeded', () => {
  it('has a line to try the model that is served', () => {
    expect(summary({ model: 'caricature', alias: 'production' })).toContain("'http://127.0.0.1:3100/v1/caricatures?crop=none' -o");
  });

  it('names the model in that line where another is served by default', () => {
    expect(summary({ model: 'caricature' })).toContain("'http://127.0.0.1:3100/v1/caricatures?crop=none&model=caricature@staging' -o");
    expect(summary({ model: 'faces', alias: 'production' })).toContain('&model=faces@production');
  });

  it('has none where nothing was published', () => {
    expect(summary()).not.toContain('curl');
  });
});
