import { apiUrl, renderPath } from './avatar-api.js';
import type { Category } from './catalog.js';
import type { CrawlSpec } from './crawl-spec.js';
import { CrawlError } from './crawl.error.js';
import type { Fetcher } from './fetcher.js';
import { RequestFailure, type FailureKind } from './request.js';
import type { Gender } from './sampling.js';
import { runWorkers } from './workers.js';

/** What says that the API knows no such value; anything else says nothing about the value and ends discovery. */
const NO_SUCH_OPTION: ReadonlySet<FailureKind> = new Set(['refused', 'wrongType']);

export interface DiscoveryProgress {
  tried: number;
  total: number;
  found: number;
}

/**
 * Finds a catalog as the report did: varies one parameter of a call known to succeed and keeps the values that still
 * succeed. A parameter that is known to be good and not varied keeps its one value.
 * @throws CrawlError `KnownGoodFails` when the known-good call does not succeed, `SourceFailing`, `SourceUnreachable`, …
 */
export async function discoverCatalog(
  spec: Pick<CrawlSpec, 'source' | 'image'>,
  gender: Gender | undefined,
  fetcher: Fetcher,
  options: { signal?: AbortSignal | undefined; onProgress?: ((progress: DiscoveryProgress) => void) | undefined } = {},
): Promise<Category[]> {
  const { knownGood = {}, catalog } = spec.source;
  const ranges = catalog?.discover ?? {};
  const succeeds = async (parameters: Record<string, number>, signal = options.signal): Promise<RequestFailure | undefined> => {
    const url = apiUrl(spec.source.baseUrl, renderPath(spec.source, spec.image, { ...(gender ? { gender } : {}), parameters }));
    try {
      await fetcher.fetch({ url, accept: 'image', signal });
      return undefined;
    } catch (error) {
      if (error instanceof RequestFailure && NO_SUCH_OPTION.has(error.kind)) return error;
      if (error instanceof RequestFailure) throw new CrawlError('SourceFailing', `Discovery cannot go on: ${error.message}. Run again when the source answers.`, { cause: error });
      throw error;
    }
  };
  const refused = await succeeds(knownGood);
  if (refused) throw new CrawlError('KnownGoodFails', `The call of source.knownGood does not succeed${gender ? ` for ${gender}` : ''}: ${refused.message}. Correct source.knownGood.`);

  const found = new Map<string, number[]>(Object.entries(knownGood).map(([key, value]) => [key, ranges[key] ? [] : [value]]));
  for (const key of Object.keys(ranges)) if (!found.has(key)) found.set(key, []);
  const trials = Object.entries(ranges).flatMap(([key, { from, to }]) => Array.from({ length: to - from + 1 }, (_, i) => ({ key, value: from + i })));
  const progress: DiscoveryProgress = { tried: 0, total: trials.length, found: 0 };
  await runWorkers(trials, fetcher.concurrency, options.signal, async ({ key, value }, signal) => {
    if (!(await succeeds({ ...knownGood, [key]: value }, signal))) {
      found.get(key)!.push(value);
      progress.found++;
    }
    progress.tried++;
    options.onProgress?.({ ...progress });
  });
  return [...found].map(([key, values]) => {
    if (values.length === 0) throw new CrawlError('CatalogInvalid', `Discovery found no value of ${key} from ${ranges[key]?.from} to ${ranges[key]?.to}. Widen source.catalog.discover.${key}.`);
    return { key, options: values.sort((a, b) => a - b) };
  });
}
