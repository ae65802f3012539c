import { Inject, Injectable, type MessageEvent } from '@nestjs/common';
import { interval, map, merge, type Observable, takeUntil } from 'rxjs';
import type { ArtifactStore } from '@caricature/artifacts';
import type { Database, MetricQuery, MetricSeries, StageAttemptRow } from '@caricature/database';
import { objectNameOf } from '../artifacts/object-address.js';
import { ControllerError } from '../controller.error.js';
import { ARTIFACT_STORE, DATABASE } from '../controller.tokens.js';
import { LiveFeed } from '../reports/live-feed.js';

/** Proxies close connections that stay silent for a minute. */
const HEARTBEAT_MS = 15_000;

/** What a run has told so far: series, sample grids, attempts, and what it tells now. */
@Injectable()
export class RunsService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(ARTIFACT_STORE) private readonly store: ArtifactStore,
    @Inject(LiveFeed) private readonly feed: LiveFeed,
  ) {}

  async metrics(query: MetricQuery): Promise<{ series: MetricSeries[] }> {
    return { series: await this.database.metrics.series(query) };
  }

  async attempts(uid: string): Promise<{ items: StageAttemptRow[] }> {
    return { items: await this.database.stages.list(uid) };
  }

  async samples(uid: string): Promise<{ items: { step: number; image: string; createdAt: Date }[] }> {
    const rows = await this.database.samples.list(uid);
    return { items: rows.map(({ step, createdAt }) => ({ step, createdAt, image: `/api/v1/runs/${uid}/samples/${step}.png` })) };
  }

  /** The PNG of one grid. */
  async sampleImage(uid: string, step: number): Promise<Buffer> {
    const row = (await this.database.samples.list(uid)).find((sample) => sample.step === step);
    if (!row) throw new ControllerError('NotFound', `The run has no sample of step ${step}.`);
    return this.store.get(objectNameOf(row.uri, this.store));
  }

  /** Each report as it comes in. */
  stream(uid: string): Observable<MessageEvent> {
    const live = this.feed.of(uid).pipe(map(({ stage, item }): MessageEvent => ({ type: item.type, data: { stage, ...item } })));
    const heartbeat = interval(HEARTBEAT_MS).pipe(map((): MessageEvent => ({ type: 'heartbeat', data: {} })), takeUntil(this.feed.closed));
    return merge(live, heartbeat);
  }
}
