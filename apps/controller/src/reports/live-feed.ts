import { filter, map, Subject, type Observable } from 'rxjs';
import type { ReportItem, StageName } from '@caricature/contracts';

export interface LiveItem {
  stage: StageName;
  item: ReportItem;
}

/** Passes reports on to whoever looks at a run just now. */
export class LiveFeed {
  private readonly items = new Subject<LiveItem & { uid: string }>();
  private readonly ended = new Subject<void>();
  /** Emits when there will be no more. */
  readonly closed: Observable<void> = this.ended;

  publish(uid: string, stage: StageName, item: ReportItem): void {
    this.items.next({ uid, stage, item });
  }

  of(uid: string): Observable<LiveItem> {
    return this.items.pipe(
      filter((live) => live.uid === uid),
      map(({ stage, item }) => ({ stage, item })),
    );
  }

  close(): void {
    this.items.complete();
    this.ended.next();
  }
}
