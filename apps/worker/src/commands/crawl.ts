import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CrawlJobSpec } from '@caricature/contracts';
import { crawl as crawlAvatars, type CrawlProgress, type ResolvedCatalog } from '@caricature/crawler';
import { createProgress } from '../progress.js';
import { RequestTimes } from '../request-times.js';
import type { StageContext, StageOutput } from '../stage.js';
import { CATALOG_FILE, INTERNAL_HOSTS } from './discover.js';

type CrawlConfig = Pick<CrawlJobSpec, 'source' | 'sampling' | 'image' | 'politeness'> & { imagesPerShard: number };

/** Fetches avatars into WebDataset shards. */
export async function crawl(context: StageContext<CrawlConfig>): Promise<StageOutput> {
  const { config, assignment, scratchDir, signal, report } = context;
  const progress = createProgress(report);
  const times = new RequestTimes(report);
  const catalog = assignment.inputs['discover'] ? (JSON.parse(await readFile(join(await context.input('discover'), CATALOG_FILE), 'utf8')) as ResolvedCatalog) : undefined;
  const result = await crawlAvatars({
    ...config,
    output: { imagesPerShard: config.imagesPerShard },
    ...(catalog ? { catalog } : {}),
    dir: scratchDir,
    signal,
    internalHosts: INTERNAL_HOSTS,
    onRequest: (seconds) => times.add(seconds),
    onProgress: (at) => {
      progress(at.images + at.failed, at.total);
      times.tell(at.images + at.failed, at.images + at.failed === at.total);
      report({ type: 'counters', values: counters(at) });
    },
  });
  const { combinations } = result;
  report({ type: 'counters', values: counters(result) });
  context.log(`${result.images} avatars out of ${combinations} combinations, ${result.duplicates} duplicates, ${result.failed} failed, ${result.bytes} bytes`);
  return { dir: scratchDir, metadata: { combinations, shards: result.shards, library: config.source.library, metrics: counters(result) } };
}

function counters({ images, duplicates, failed, bytes }: Pick<CrawlProgress, 'images' | 'duplicates' | 'failed' | 'bytes'>): Record<string, number> {
  return { images, duplicates, failed, bytes };
}
