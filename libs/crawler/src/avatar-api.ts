import type { CrawlSource, CrawlSpec } from './crawl-spec.js';
import type { Gender, Sample } from './sampling.js';

/** The genders to crawl apart; the Legacy API knows none. */
export function gendersOf(source: CrawlSource): (Gender | undefined)[] {
  if (source.api === 'Legacy') return [undefined];
  return source.gender === 'both' ? ['male', 'female'] : [source.gender];
}

/** Path and query of the picture of one sample, below the base URL: categories in the catalog's order, then the size. */
export function renderPath(source: CrawlSource, image: CrawlSpec['image'], sample: Pick<Sample, 'gender' | 'parameters'>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(sample.parameters)) query.append(key, String(value));
  query.append('width', String(image.width));
  query.append('height', String(image.height));
  const place =
    source.api === 'Legacy'
      ? `legacy/render/${encodeURIComponent(source.template ?? '')}`
      : `v2/render/${encodeURIComponent(source.library)}/${sample.gender}`;
  return `/${place}.png?${query}`;
}

/** Where the catalog of one gender is: the resource's own URL, else the API's. */
export function catalogUrl(source: CrawlSource, gender: Gender | undefined): URL {
  const given = source.catalog?.url;
  if (given !== undefined) return new URL(given.replace(/\{gender\}|%7Bgender%7D/gi, gender ?? ''));
  return apiUrl(source.baseUrl, source.api === 'Legacy' ? '/legacy/catalog.json' : `/v2/catalog/${gender}.json`);
}

/** A path below the base URL, which may have a path of its own. */
export function apiUrl(baseUrl: string, path: string): URL {
  return new URL(baseUrl.replace(/\/+$/, '') + path);
}
