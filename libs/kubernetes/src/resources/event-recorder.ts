import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CoreV1Event } from '@kubernetes/client-node';
import { API_VERSION } from '@caricature/contracts';
import type { Resource, ResourceEvent } from '@caricature/reconciler';
import { eventPath } from '../client/api-path.js';
import { FIELD_MANAGER, type KubernetesClient } from '../client/kubernetes.client.js';
import { isKubernetesError } from '../client/kubernetes.error.js';

/** Events that wait to be written; beyond these the newest are left out: a resource is worked on even if nobody can be told. */
const MOST_WAITING = 2_000;
const LONGEST_FLUSH_MS = 3_000;
const SAME_EVENT_MS = 10 * 60_000;
const MOST_REMEMBERED = 4_000;

/** Equal events, told of as one. */
interface Series {
  count: number;
  firstTimestamp: string;
  at: number;
  /** As many were counted by whoever led before. */
  countBefore: number;
}

/**
 * Writes the events that `kubectl describe` shows. Equal events within ten minutes are one that counts. It never holds up or fails a
 * round of reconciliation.
 */
export class EventRecorder {
  private readonly waiting: { event: CoreV1Event; series: Series }[] = [];
  private readonly known = new Map<string, Series>();
  private writing: Promise<void> | undefined;
  private isFlushing = false;

  constructor(
    private readonly client: KubernetesClient,
    private readonly log: (line: string) => void,
    private readonly now: () => number = Date.now,
  ) {}

  record(resource: Resource, event: ResourceEvent): void {
    if (this.waiting.length >= MOST_WAITING) return;
    this.waiting.push(this.eventOf(resource, event));
    this.writing ??= this.drain();
  }

  /** Resolves when everything recorded so far is written, or left out since that takes too long: whoever waits for it is ending. */
  async flush(): Promise<void> {
    this.isFlushing = true;
    const impatience = setTimeout(() => void (this.waiting.length = 0), LONGEST_FLUSH_MS);
    await this.writing;
    clearTimeout(impatience);
    this.isFlushing = false;
  }

  private eventOf({ kind, metadata }: Resource, { type, reason, message }: ResourceEvent): { event: CoreV1Event; series: Series } {
    const { namespace, name, uid, resourceVersion } = metadata;
    const fingerprint = createHash('sha256').update(JSON.stringify([uid, type, reason, message])).digest('hex').slice(0, 16);
    const series = this.seriesOf(fingerprint);
    const event: CoreV1Event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${fingerprint}`, namespace },
      involvedObject: { apiVersion: API_VERSION, kind, namespace, name, uid, resourceVersion },
      type, reason, message: message.slice(0, 1024),
      count: series.count,
      firstTimestamp: series.firstTimestamp as unknown as Date,
      lastTimestamp: new Date(series.at).toISOString() as unknown as Date,
      source: { component: FIELD_MANAGER },
    };
    return { event, series };
  }

  /** The events like this one, with this one counted. */
  private seriesOf(fingerprint: string): Series {
    const now = this.now();
    const before = this.known.get(fingerprint);
    const series = before && now - before.at < SAME_EVENT_MS ? before : { count: 0, firstTimestamp: new Date(now).toISOString(), at: now, countBefore: 0 };
    Object.assign(series, { count: series.count + 1, at: now });
    // The newest last: the oldest are forgotten first.
    this.known.delete(fingerprint);
    this.known.set(fingerprint, series);
    if (this.known.size > MOST_REMEMBERED) this.known.delete(this.known.keys().next().value!);
    return series;
  }

  private async drain(): Promise<void> {
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) {
      const startedAt = performance.now();
      await this.write(next.event, next.series).catch((error: unknown) => {
        // Of a namespace that is being deleted, or one whose right was not given: the resource itself says what matters.
        if (!isKubernetesError(error, 'Deposed')) this.log(`an event was not written: ${(error as Error).message}`);
      });
      // An API server that takes long has much to do: what events tell of goes before them.
      if (this.waiting.length > 0 && !this.isFlushing) await sleep(performance.now() - startedAt);
    }
    this.writing = undefined;
  }

  private async write(event: CoreV1Event, series: Series): Promise<void> {
    const { namespace, name } = event.metadata;
    if (event.count === 1) {
      try {
        await this.client.create(eventPath(namespace), event);
        return;
      } catch (error) {
        // Written before a restart: it goes on counting.
        if (!isKubernetesError(error, 'AlreadyExists')) throw error;
        series.countBefore = (await this.client.get<CoreV1Event>(eventPath(namespace, name))).count ?? 1;
      }
    }
    try {
      await this.client.merge(eventPath(namespace, name), { count: series.countBefore + event.count!, lastTimestamp: event.lastTimestamp });
    } catch (error) {
      if (!isKubernetesError(error, 'NotFound')) throw error;
      await this.client.create(eventPath(namespace), { ...event, count: 1 });
    }
  }
}
