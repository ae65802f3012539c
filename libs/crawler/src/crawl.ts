import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiUrl, renderPath } from './avatar-api.js';
import type { CrawlPart, CrawlSpec } from './crawl-spec.js';
import { CrawlError, diskError } from './crawl.error.js';
import { FailureStreak } from './failure-streak.js';
import { createFetcher, type Fetcher, type FetcherOptions } from './fetcher.js';
import { Frontier, type FrontierTotals } from './frontier.js';
import { Journal } from './journal.js';
import { RequestFailure } from './request.js';
import { resolveCatalog, type ResolvedCatalog } from './resolve-catalog.js';
import { createSampler, type Sample } from './sampling.js';
import { planShards, writeAtomically, writeShard } from './shard.js';
import { runWorkers } from './workers.js';

export interface CrawlOptions extends CrawlSpec, FetcherOptions {
  /** Local folder: the shards, `catalog.json`, and `.journal/` while unfinished. */
  dir: string;
  /** One of several processes that share a crawl: it writes every `of`-th shard and takes its share of the rate. */
  part?: CrawlPart | undefined;
  /** The catalog, where a stage before found it. */
  catalog?: ResolvedCatalog | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: CrawlProgress) => void) | undefined;
}

/** Of this part, what earlier runs did included. */
export interface CrawlProgress extends FrontierTotals {
  /** Samples of this part. */
  total: number;
  combinations: string;
  /** Requests by outcome of this run, such as `retry/count`. */
  statistics: Readonly<Record<string, number>>;
}

export interface CrawlResult extends FrontierTotals {
  combinations: string;
  /** Shards of this part. */
  shards: number;
  statistics: Readonly<Record<string, number>>;
}

/**
 * Crawls a part of a source's avatars into WebDataset shards. Killed at any instant and called again with the same options it
 * carries on: at most the requests then in flight are made again, and the shards have the same bytes as without the kill.
 * @throws CrawlError; a retryable one says that the same call may go on later
 */
export async function crawl(options: CrawlOptions): Promise<CrawlResult> {
  const { dir, signal, part = { index: 0, of: 1 } } = options;
  const fetcher = createFetcher(options, options);
  try {
    const journal = new Journal(dir, part.index);
    await journal.open();
    const catalog = await keptCatalog(options, journal);
    return await crawlShards(options, part, catalog, fetcher, journal);
  } catch (error) {
    if (signal?.aborted) throw new CrawlError('Aborted', 'The crawl was stopped; the same call carries on.', { cause: error });
    throw diskError(error, dir);
  } finally {
    await fetcher.close();
  }
}

async function crawlShards(options: CrawlOptions, part: CrawlPart, catalog: ResolvedCatalog, fetcher: Fetcher, journal: Journal): Promise<CrawlResult> {
  const { dir, source, image, sampling, output, signal } = options;
  const sampleAt = createSampler(catalog.spaces, sampling.count, sampling.seed);
  const ranges = planShards(sampling.count, output.imagesPerShard, part);
  const total = ranges.reduce((sum, { count }) => sum + count, 0);
  const frontier = await Frontier.load(dir, ranges, output.imagesPerShard, journal);
  const streak = new FailureStreak(total, source.baseUrl);

  const giveUpStreak = async () => {
    for (const { index, reason } of streak.end()) frontier.add(await journal.addFailure(index, reason));
  };
  const writeComplete = async () => {
    for (const { range, entries } of frontier.takeComplete()) {
      await writeShard(dir, range, entries, journal, (index) => describeSample(options, sampleAt(index)));
      await journal.forget(entries);
    }
  };
  const fetchSample = async (index: number, aborted: AbortSignal) => {
    const url = apiUrl(source.baseUrl, renderPath(source, image, sampleAt(index)));
    try {
      const { body } = await fetcher.fetch({ url, accept: 'image', signal: aborted });
      frontier.add(await journal.addPicture(index, body));
      await giveUpStreak();
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error;
      fetcher.statistics.add(`failed/${error.kind}`);
      streak.add(index, error);
    }
  };

  await writeComplete();
  await runWorkers(frontier.pending(), fetcher.concurrency, signal, async (index, aborted) => {
    aborted.throwIfAborted();
    await fetchSample(index, aborted);
    await writeComplete();
    options.onProgress?.({ ...frontier.totals, total, combinations: catalog.combinations, statistics: fetcher.statistics.counts });
  });
  await giveUpStreak();
  await writeComplete();
  await journal.close();
  return { ...frontier.totals, combinations: catalog.combinations, shards: ranges.length, statistics: fetcher.statistics.counts };
}

/** What stands beside a picture, as `<index>.json`: how it was asked for, without the host. */
function describeSample({ source, image }: CrawlSpec, sample: Sample): unknown {
  const { index, gender, parameters } = sample;
  const asked = source.api === 'Legacy' ? { template: source.template } : { library: source.library, gender };
  return { index, ...asked, parameters, path: renderPath(source, image, sample) };
}

/** The catalog with which the folder's crawl began: the source's may have changed since, and sample numbers with it. */
async function keptCatalog(options: CrawlOptions, journal: Journal): Promise<ResolvedCatalog> {
  const { dir, signal } = options;
  const file = join(dir, 'catalog.json');
  const crawl = fingerprint(options);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text !== undefined) {
    const kept = JSON.parse(text) as ResolvedCatalog & { crawl: string };
    if (kept.crawl === crawl) return kept;
    throw new CrawlError('DirectoryOfAnotherCrawl', `${dir} holds a crawl with other source, sampling, image or output settings. Remove it or choose another folder.`);
  }
  const { spaces, combinations } = options.catalog ?? (await resolveCatalog(options, { ...options, signal, onProgress: undefined }));
  createSampler(spaces, options.sampling.count, options.sampling.seed);
  await writeAtomically(file, `${JSON.stringify({ crawl, combinations, spaces }, null, 1)}\n`, journal.dir);
  return { spaces, combinations };
}

/** Of all that decides which picture has which number; where the source is to be found does not. */
function fingerprint({ source, sampling, image, output }: CrawlSpec): string {
  const { api, library, gender, template } = source;
  const { count, seed } = sampling;
  const decisive = [api, library, gender, template ?? null, count, seed, image.width, image.height, output.imagesPerShard];
  return createHash('sha256').update(JSON.stringify(decisive)).digest('hex');
}
