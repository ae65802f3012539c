import type { ReportItem, ResourceOwner, StageName } from '@caricature/contracts';
import type { Database, JsonObject } from '@caricature/database';
import type { ResourceKey } from '@caricature/reconciler';
import type { LiveFeed } from './live-feed.js';

interface Notice {
  owner?: ResourceOwner;
  stage?: StageName;
  /** Left out when they are too many for a notice: they are in Postgres. */
  items?: ReportItem[];
}

/** Passes on what any replica took in: to whoever looks at a run here, and to the loop, should it run here. Ends when `signal` aborts. */
export function passOnReports(database: Database, feed: LiveFeed, enqueue: (key: ResourceKey, isUrgent: boolean) => void, signal: AbortSignal): Promise<void> {
  return database.reports.watch((notice: JsonObject) => {
    const { owner, stage, items } = notice as Notice;
    if (!owner || !stage) return;
    for (const item of items ?? []) feed.publish(owner.uid, stage, item);
    enqueue({ kind: owner.kind, namespace: owner.namespace, name: owner.name }, !items || items.some(isTurn));
  }, signal);
}

/** What changes what is to be done next, rather than how far it is. */
function isTurn({ type }: ReportItem): boolean {
  return type === 'artifact' || type === 'failed' || type === 'sample';
}
