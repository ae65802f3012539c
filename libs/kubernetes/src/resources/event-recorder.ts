import { createHash } from 'node:crypto';
import type { CoreV1Event } from '@kubernetes/client-node';
import { API_VERSION } from '@caricature/contracts';
import type { Resource, ResourceEvent } from '@caricature/reconciler';
import { eventPath } from '../client/api-path.js';
import { FIELD_MANAGER, type KubernetesClient } from '../client/kubernetes.client.js';
import { isKubernetesError } from '../client/kubernetes.error.js';

/** Events that wait to be written; beyond these the newest are left out: a resource is worked on even if nobody can be told. */
const MOST_WAITING = 2_000;
const SAME_EVENT_MS = 10 * 60_000;
const MOST_REMEMBERED = 4_000;

interface Sent {
  count: number;
  firstTimestamp: string;
  at: number;
}

/**
 * Writes the events that `kubectl describe` shows. Equal events within ten minutes are one that counts. It never holds up or fails a
 * round of reconciliation.
 */
export class EventRecorder {
  private readonly waiting: CoreV1Event[] = [];
  private readonly sent = new Map<string, Sent>();
  private writing: Promise<void> | undefined;

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

  /** Resolves when everything recorded so far is written. */
  async flush(): Promise<void> {
    await this.writing;
  }

  private eventOf({ kind, metadata }: Resource, { type, reason, message }: ResourceEvent): CoreV1Event {
    const { namespace, name, uid, resourceVersion } = metadata;
    const fingerprint = createHash('sha256').update(JSON.stringify([uid, type, reason, message])).digest('hex').slice(0, 16);
    const now = new Date(this.now()).toISOString();
    const before = this.sent.get(fingerprint);
    const same = before && this.now() - before.at < SAME_EVENT_MS ? before : undefined;
    const { count, firstTimestamp } = { count: (same?.count ?? 0) + 1, firstTimestamp: same?.firstTimestamp ?? now };
    this.remember(fingerprint, { count, firstTimestamp, at: this.now() });
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${fingerprint}`, namespace },
      involvedObject: { apiVersion: API_VERSION, kind, namespace, name, uid, resourceVersion },
      type, reason, message: message.slice(0, 1024),
      count,
      firstTimestamp: firstTimestamp as unknown as Date,
      lastTimestamp: now as unknown as Date,
      source: { component: FIELD_MANAGER },
    };
  }

  private remember(fingerprint: string, sent: Sent): void {
    this.sent.delete(fingerprint);
    this.sent.set(fingerprint, sent);
    if (this.sent.size > MOST_REMEMBERED) this.sent.delete(this.sent.keys().next().value!);
  }

  private async drain(): Promise<void> {
    for (let event = this.waiting.shift(); event; event = this.waiting.shift()) {
      await this.write(event).catch((error: unknown) => {
        // Of a namespace that is being deleted, or one whose right was not given: the resource itself says what matters.
        if (!isKubernetesError(error, 'Deposed')) this.log(`an event was not written: ${(error as Error).message}`);
      });
    }
    this.writing = undefined;
  }

  private async write(event: CoreV1Event): Promise<void> {
    const { namespace, name } = event.metadata;
    if (event.count === 1) {
      try {
        await this.client.create(eventPath(namespace), event);
        return;
      } catch (error) {
        // Written before a restart: it goes on counting.
        if (!isKubernetesError(error, 'AlreadyExists')) throw error;
        const known = await this.client.get<CoreV1Event>(eventPath(namespace, name));
        event.count = (known.count ?? 1) + 1;
      }
    }
    try {
      await this.client.merge(eventPath(namespace, name), { count: event.count, lastTimestamp: event.lastTimestamp });
    } catch (error) {
      if (!isKubernetesError(error, 'NotFound')) throw error;
      await this.client.create(eventPath(namespace), { ...event, count: 1 });
    }
  }
}
