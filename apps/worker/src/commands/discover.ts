import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CrawlJobSpec } from '@caricature/contracts';
import { resolveCatalog } from '@caricature/crawler';
import { createProgress } from '../progress.js';
import type { StageContext, StageOutput } from '../stage.js';

export const CATALOG_FILE = 'catalog.json';
/** Names that may lead to addresses inside: a cluster's Services. */
export const INTERNAL_HOSTS = ['*.svc', '*.svc.cluster.local'];

/** Finds out which values an API takes, by varying a call known to succeed. */
export async function discover(context: StageContext<Pick<CrawlJobSpec, 'source' | 'image' | 'politeness'>>): Promise<StageOutput> {
  const progress = createProgress(context.report);
  const catalog = await resolveCatalog(context.config, { signal: context.signal, internalHosts: INTERNAL_HOSTS, onProgress: ({ tried, total }) => progress(tried, total) });
  await writeFile(join(context.scratchDir, CATALOG_FILE), JSON.stringify(catalog));
  return { dir: context.scratchDir, metadata: { combinations: catalog.combinations } };
}
