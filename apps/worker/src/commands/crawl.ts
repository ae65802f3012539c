import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CrawlJobSpec } from '@caricature/contracts';
import { crawl as crawlAvatars, resolveCatalog, type CrawlOptions, type CrawlProgress, type ResolvedCatalog } from '@caricature/crawler';
import { CrawlParts } from '../crawl-parts.js';
import { createProgress } from '../progress.js';
import { RequestTimes } from '../request-times.js';
import type { StageContext, StageOutput } from '../stage.js';
import { CATALOG_FILE, INTERNAL_HOSTS } from './discover.js';

type CrawlConfig = Pick<CrawlJobSpec, 'source' | 'sampling' | 'image' | 'politeness'> & { imagesPerShard: number };

/** Fetches avatars into WebDataset shards. Of several processes each fetches its part, and whoever sees all parts done makes them one artifact. */
export async function crawl(context: StageContext<CrawlConfig>): Promise<StageOutput | undefined> {
  const { config, part, scratchDir, signal, report, log } = context;
  const parts = part.of > 1 ? new CrawlParts(context) : undefined;
  const dir = parts?.dir ?? scratchDir;
  const catalog = (await discovered(context)) ?? (await parts?.catalog(() => resolveCatalog(config, { signal, internalHosts: INTERNAL_HOSTS })));
  const options = { ...config, output: { imagesPerShard: config.imagesPerShard }, ...(catalog ? { catalog } : {}), dir, signal, internalHosts: INTERNAL_HOSTS };
  if (parts) {
    if (!(await parts.isDone())) await crawlPart(context, options, parts);
    if (!(await parts.gather())) return undefined;
  }
  // Where the parts' shards are all there, this fetches nothing and counts them.
  const result = await crawlAvatars({ ...options, ...listeners(context) });
  const { combinations } = result;
  report({ type: 'counters', values: counters(result) });
  log(`${result.images} avatars out of ${combinations} combinations, ${result.duplicates} duplicates, ${result.failed} failed, ${result.bytes} bytes`);
  return { dir, metadata: { combinations, shards: result.shards, library: config.source.library, metrics: counters(result) } };
}

/**
 * The first part alone tells how far the crawl is: what several told would replace each other, forth and back. No part has more shards than it
 * has, so its progress is that of all. What it counts is the least that all have: a guess at the whole could be too high, and a counter
 * that falls is taken for one that began anew.
 */
async function crawlPart(context: StageContext<CrawlConfig>, options: CrawlOptions, parts: CrawlParts): Promise<void> {
  const { part, log } = context;
  const { images, failed } = await crawlAvatars({ ...options, part, ...(part.index === 0 ? listeners(context) : {}) });
  log(`part ${part.index + 1} of ${part.of}: ${images} avatars, ${failed} failed`);
  // Heard before another part can tell of the whole.
  await context.flushReports();
  await parts.save();
}

function listeners({ config, report }: StageContext<CrawlConfig>): Pick<CrawlOptions, 'onRequest' | 'onProgress'> {
  const progress = createProgress(report);
  const times = new RequestTimes(report);
  const { count } = config.sampling;
  return {
    onRequest: (seconds) => times.add(seconds),
    onProgress: (at) => {
      const done = at.images + at.failed;
      const step = Math.round((done / at.total) * count);
      progress(step, count);
      times.tell(step, done === at.total);
      report({ type: 'counters', values: counters(at) });
    },
  };
}

async function discovered({ assignment, input }: StageContext<CrawlConfig>): Promise<ResolvedCatalog | undefined> {
  if (!assignment.inputs['discover']) return undefined;
  return JSON.parse(await readFile(join(await input('discover'), CATALOG_FILE), 'utf8')) as ResolvedCatalog;
}

function counters({ images, duplicates, failed, bytes }: Pick<CrawlProgress, 'images' | 'duplicates' | 'failed' | 'bytes'>): Record<string, number> {
  return { images, duplicates, failed, bytes };
}
