import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ResourceManifest } from '@caricature/contracts';
import { readManifests } from '../apps/cli/src/manifests.js';

const experiments = fileURLToPath(new URL('../experiments', import.meta.url));

/** As the command line reads them: an address of a folder beside a file becomes a whole one. */
async function readExamples(): Promise<{ file: string; resource: ResourceManifest }[]> {
  const files = (await readdir(experiments, { recursive: true })).filter((file) => file.endsWith('.yaml')).sort();
  const read = files.map(async (file) => (await readManifests([join(experiments, file)])).map((resource) => ({ file, resource })));
  return (await Promise.all(read)).flat();
}

describe('the example resources', () => {
  it('are all valid', async () => {
    const manifests = await readExamples();
    expect(manifests.map(({ file, resource }) => `${file}: ${resource.kind} ${resource.metadata.name}`)).toEqual([
      'architectures/avatars.yaml: CrawlJob avatars',
      'architectures/runs.yaml: TrainingRun dtn',
      'architectures/runs.yaml: TrainingRun dtn-joint',
      'architectures/runs.yaml: TrainingRun pix2pix',
      'architectures/runs.yaml: TrainingRun cyclegan',
      'architectures/runs.yaml: TrainingRun classifier',
      'demo/avatars.yaml: CrawlJob avatars',
      'demo/run.yaml: TrainingRun demo',
      'digits-32/ablations.yaml: TrainingRun digits-32-no-const',
      'digits-32/ablations.yaml: TrainingRun digits-32-no-tid',
      'digits-32/ablations.yaml: TrainingRun digits-32-no-gang',
      'digits-32/ablations.yaml: TrainingRun digits-32-joint',
      'digits-32/run.yaml: TrainingRun digits-32',
      'faces-152/avatars.yaml: CrawlJob avatars-152',
      'faces-152/plain.yaml: TrainingRun plain-152',
      'faces-152/run.yaml: TrainingRun faces-152',
      'faces-64/avatars.yaml: CrawlJob avatars',
      'faces-64/run.yaml: TrainingRun faces-64',
      'positions/avatars.yaml: CrawlJob avatars-64',
      'positions/runs.yaml: TrainingRun platform',
      'positions/runs.yaml: TrainingRun plain',
      'report-152/avatars.yaml: CrawlJob avatars-152',
      'report-152/run.yaml: TrainingRun report-152',
    ]);
  });

  it('refer only to crawls beside them, of the size that they train with', async () => {
    const sizes: Record<string, number> = { 'faces-64': 64, 'faces-152': 152, 'report-152': 152 };
    const manifests = await readExamples();
    for (const { file, resource } of manifests) {
      if (resource.kind !== 'TrainingRun') continue;
      const wanted = resource.spec.target?.crawlJobRef?.name;
      if (wanted === undefined) continue;
      const crawl = manifests.find((m) => m.file.split('/')[0] === file.split('/')[0] && m.resource.kind === 'CrawlJob' && m.resource.metadata.name === wanted);
      if (crawl?.resource.kind !== 'CrawlJob') throw new Error(`${file} refers to the crawl ${wanted}, which is not in its folder`);
      expect(crawl.resource.spec.image.width, file).toBe(resource.spec.model.imageSize ?? sizes[resource.spec.model.preset]);
    }
  });

  it('give the report its own settings', async () => {
    const run = (await readExamples()).map((m) => m.resource).find((r) => r.metadata.name === 'report-152');
    expect(run?.spec).toMatchObject({
      pretrain: { steps: 5_000, batchSize: 100, learningRate: 0.015 },
      train: { mode: 'Frozen', steps: 50_000, batchSize: 100, learningRate: 0.015 },
    });
  });
});
