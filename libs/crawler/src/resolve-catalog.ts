import { catalogUrl, gendersOf } from './avatar-api.js';
import { parseCatalog, type Category } from './catalog.js';
import type { CrawlSpec } from './crawl-spec.js';
import { CrawlError } from './crawl.error.js';
import { discoverCatalog, type DiscoveryProgress } from './discovery.js';
import { createFetcher, type Fetcher, type FetcherOptions } from './fetcher.js';
import { RequestFailure } from './request.js';
import { combinationsOf, type Gender, type SampleSpace } from './sampling.js';

/** Everything that can be drawn from a source; plain JSON, kept as `catalog.json`. */
export interface ResolvedCatalog {
  spaces: SampleSpace[];
  /** In decimal: it exceeds 2^53. */
  combinations: string;
}

export interface ResolveOptions extends FetcherOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: DiscoveryProgress) => void) | undefined;
}

/**
 * Gets the catalog of a resource: inline, by URL (by default the API's own) or by discovery; for each gender apart.
 * @throws CrawlError `CatalogInvalid`, `KnownGoodFails`, `SourceUnreachable`, `SourceFailing`, `HostRefused`, …
 */
export async function resolveCatalog(spec: Pick<CrawlSpec, 'source' | 'image' | 'politeness'>, options: ResolveOptions = {}): Promise<ResolvedCatalog> {
  const fetcher = createFetcher(spec, options);
  try {
    const spaces: SampleSpace[] = [];
    for (const gender of gendersOf(spec.source)) {
      const categories = await categoriesOf(spec, gender, fetcher, options);
      spaces.push({ ...(gender ? { gender } : {}), categories });
    }
    return { spaces, combinations: combinationsOf(spaces) };
  } finally {
    await fetcher.close();
  }
}

async function categoriesOf(
  spec: Pick<CrawlSpec, 'source' | 'image' | 'politeness'>,
  gender: Gender | undefined,
  fetcher: Fetcher,
  options: ResolveOptions,
): Promise<Category[]> {
  const { source } = spec;
  if (source.catalog?.discover) return discoverCatalog(spec, gender, fetcher, options);
  if (source.catalog?.inline !== undefined) return parseCatalog(source.catalog.inline, source.library);
  const url = catalogUrl(source, gender);
  const text = await fetchText(url, fetcher, options.signal);
  try {
    return parseCatalog(JSON.parse(text), source.library);
  } catch (error) {
    if (error instanceof CrawlError) throw error;
    throw new CrawlError('CatalogInvalid', `${url} does not answer with JSON but with ${JSON.stringify(text.slice(0, 60))}. Correct source.baseUrl, source.api or source.catalog.`);
  }
}

async function fetchText(url: URL, fetcher: Fetcher, signal: AbortSignal | undefined): Promise<string> {
  try {
    return (await fetcher.fetch({ url, accept: 'json', signal })).body.toString();
  } catch (error) {
    if (!(error instanceof RequestFailure)) throw error;
    throw requestError(error, url.origin);
  }
}

/** A request without which a crawl cannot go on, as the crawl's error. */
export function requestError(failure: RequestFailure, baseUrl: string): CrawlError {
  const { kind, message } = failure;
  if (kind === 'network') {
    return new CrawlError('SourceUnreachable', `The avatar source ${baseUrl} cannot be reached: ${message}. Start it, or correct source.baseUrl, and run again.`, { cause: failure });
  }
  if (kind === 'host') return new CrawlError('HostRefused', `${message}. Correct source.baseUrl or source.catalog.url.`, { cause: failure });
  const advice = 'Correct source (baseUrl, api, library, gender, template, catalog)';
  if (!failure.retryable) return new CrawlError('SourceRefuses', `The avatar source ${baseUrl} refuses: ${message}. ${advice}.`, { cause: failure });
  return new CrawlError('SourceFailing', `The avatar source ${baseUrl} fails: ${message}. Run again when it works, or ask it more slowly (politeness).`, { cause: failure });
}
