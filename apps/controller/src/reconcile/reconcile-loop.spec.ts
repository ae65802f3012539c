import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseResource, type StageAssignment } from '@caricature/contracts';
import { JobRefusedError, type JobObservation, type PodDriver, type Resource, type ResourceKey, type ResourceStore } from '@caricature/reconciler';
import { aTrainingRun } from '../testing/a-controller.js';
import { ReconcileLoop, type ReconcileOptions } from './reconcile-loop.js';

const NOTHING_KEPT = { attempts: [], reports: [], samples: [], artifacts: [] };

/** A place with one run, which lets some stages have no job. */
class Place {
  readonly events: string[] = [];
  readonly jobs: JobObservation[] = [];
  refused: string[] = [];
  run: Resource;
  private readonly stop = new AbortController();
  private readonly running: Promise<void>;
  private onChange: (key: ResourceKey) => void = () => undefined;
  private onRound: () => void = () => undefined;

  constructor(spec: Record<string, unknown>) {
    const { metadata, ...written } = parseResource(aTrainingRun('faces', spec));
    this.run = { ...written, metadata: { ...metadata, uid: 'u', generation: 1 } } as unknown as Resource;
    const untilStopped = () => new Promise<void>((resolve) => this.stop.signal.addEventListener('abort', () => resolve()));
    const store = {
      find: () => Promise.resolve(this.run),
      list: () => Promise.resolve([]),
      watch: (onChange: (key: ResourceKey) => void) => ((this.onChange = onChange), untilStopped()),
      recordEvent: (_run: Resource, { type, reason, message }) => Promise.resolve(void this.events.push(`${type} ${reason}: ${message}`)),
      updateStatus: (run: Resource, status) => Promise.resolve(void (this.run = { ...run, status } as Resource)),
    } satisfies Partial<ResourceStore>;
    const driver = {
      list: () => Promise.resolve([...this.jobs]),
      watch: untilStopped,
      create: (assignment: StageAssignment) => this.create(assignment),
    } satisfies Partial<PodDriver>;
    const database = { recall: () => Promise.resolve(NOTHING_KEPT), artifacts: {}, stages: { list: () => Promise.resolve([]), record: () => Promise.resolve() } };
    const loop = new ReconcileLoop({ store, driver, database, artifacts: {}, folderFingerprint: () => Promise.resolve(undefined), log: () => undefined, onReconciled: () => this.onRound() } as unknown as ReconcileOptions);
    this.running = loop.start(this.stop.signal);
  }

  /** One look at the run. */
  round(): Promise<void> {
    return new Promise((resolve) => {
      this.onRound = resolve;
      this.onChange({ kind: 'TrainingRun', namespace: 'default', name: 'faces' });
    });
  }

  async end(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  private async create({ job, stage, attempt }: StageAssignment): Promise<void> {
    if (this.refused.includes(stage)) throw new JobRefusedError('QuotaExceeded', 'exceeded quota');
    this.jobs.push({ name: job, stage, attempt, state: 'Running', terminal: false, disrupted: false });
  }
}

describe('a run of which a quota refuses a job', () => {
  let place: Place;
  beforeEach(() => void (place = new Place({ target: { images: { uri: 'file:///pictures' } } })));
  afterEach(() => place.end());

  it('tells of the jobs that were made and of what is in the way, each once', async () => {
    place.refused = ['prepare-faces'];
    for (let round = 0; round < 3; round++) await place.round();
    expect(place.events).toEqual(['Normal StageStarted: prepare-avatars started, attempt 1', 'Warning QuotaExceeded: prepare-faces: exceeded quota']);
    place.refused = [];
    await place.round();
    expect(place.events.slice(2)).toEqual(['Normal StageStarted: prepare-faces started, attempt 1']);
  });

  it('tells of nothing as begun while none of its jobs could be made', async () => {
    place.refused = ['prepare-faces', 'prepare-avatars'];
    for (let round = 0; round < 3; round++) await place.round();
    expect(place.events).toEqual(['Warning QuotaExceeded: prepare-faces: exceeded quota']);
    expect(place.run.status?.stages.map(({ attempts }) => attempts)).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
