import { CrawlError } from './crawl.error.js';

/** One parameter and the values it takes. */
export interface Category {
  key: string;
  options: number[];
}

interface RawCatalog {
  categories?: { key?: unknown; options?: { value?: unknown }[] }[];
}

/**
 * Reads a catalog of either shape: `{"categories":[…]}` (Legacy) or `{"bitmoji":{"categories":[…]},…}` (Current).
 * Values given twice count once, so that no sample comes twice.
 * @throws CrawlError `CatalogInvalid` saying what is wrong where
 */
export function parseCatalog(json: unknown, library: string): Category[] {
  const root = json as (RawCatalog & Record<string, RawCatalog>) | null;
  const catalog: RawCatalog | undefined = root?.categories ? root : root?.[library];
  if (!Array.isArray(catalog?.categories)) {
    throw invalid(`it has neither "categories" nor "${library}": {"categories"}; it has ${Object.keys(root ?? {}).slice(0, 8).join(', ') || 'nothing'}`);
  }
  if (catalog.categories.length === 0) throw invalid('it has no categories');
  const categories = catalog.categories.map(parseCategory);
  const keys = categories.map(({ key }) => key);
  const twice = keys.find((key, i) => keys.indexOf(key) !== i);
  if (twice !== undefined) throw invalid(`category ${twice} comes twice`);
  return categories;
}

function parseCategory(raw: NonNullable<RawCatalog['categories']>[number]): Category {
  const key = raw?.key;
  if (typeof key !== 'string' || !/^[\w.-]{1,63}$/.test(key)) throw invalid(`a category's key is ${JSON.stringify(key)}`);
  if (!Array.isArray(raw.options) || raw.options.length === 0) throw invalid(`category ${key} has no options`);
  const options = raw.options.map((option) => {
    if (!Number.isSafeInteger(option?.value)) throw invalid(`category ${key} has an option that is not {"value": whole number}`);
    return option.value as number;
  });
  return { key, options: [...new Set(options)] };
}

function invalid(reason: string): CrawlError {
  return new CrawlError('CatalogInvalid', `The catalog cannot be used: ${reason}. Correct source.catalog or source.library.`);
}
