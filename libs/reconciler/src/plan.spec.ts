import { parseResource, type StageName, type TrainingRun } from '@caricature/contracts';
import { describe, expect, it } from 'vitest';
import { plan, type Plan } from './plan.js';
import { keysToLookUp } from './plan-stages.js';
import type { JobObservation, Observed, ResourceStatus } from './ports.js';

const NOW = Date.parse('2026-01-01T00:00:00Z');

function aTrainingRun(spec: Record<string, unknown> = {}, status?: ResourceStatus, metadata: Record<string, unknown> = {}): TrainingRun {
  const manifest = parseResource({
    apiVersion: 'caricature.dev/v1alpha1',
    kind: 'TrainingRun',
    metadata: { name: 'faces' },
    spec: { source: { photos: { uri: 'file:///p' } }, target: { crawlJobRef: { name: 'avatars' } }, publish: { model: 'm', alias: 'staging' }, ...spec },
  });
  return {
    ...manifest,
    metadata: { ...manifest.metadata, uid: 'u1', generation: 1, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z', ...metadata },
    ...(status ? { status } : {}),
  } as TrainingRun;
}

function anObservation(values: Partial<Observed> = {}): Observed {
  return { jobs: [], reports: {}, artifacts: {}, inputs: { crawl: { state: 'Ready', artifact: { stage: 'crawl', key: 'k', digest: 'd', uri: 'file:///a' } } }, samples: [], ...values };
}

function aJob(stage: StageName, values: Partial<JobObservation> = {}): JobObservation {
  return { name: `faces-${stage}-${values.attempt ?? 1}`, stage, attempt: 1, state: 'Running', terminal: false, disrupted: false, startTime: '2026-01-01T00:00:00Z', ...values };
}

const created = (p: Plan) => p.actions.flatMap((a) => (a.type === 'createJob' ? [`${a.assignment.stage}#${a.assignment.attempt}`] : []));

/** Lets every stage that starts succeed at once and the model be published, until nothing is left to do. */
function runToTheEnd(run: TrainingRun, observed: Observed): { order: string[]; last: Plan } {
  const order: string[] = [];
  for (let round = 0; round < 20; round++) {
    const p = plan(run, observed, NOW);
    run = { ...run, status: p.status as TrainingRun['status'] } as TrainingRun;
    const jobs = p.actions.flatMap((a) => (a.type === 'createJob' ? [a.assignment] : []));
    const published = p.actions.find((a) => a.type === 'publishModel');
    if (published) observed.model = { name: published.model, version: 1 };
    if (jobs.length === 0 && !published) return { order, last: p };
    for (const job of jobs) {
      order.push(job.stage);
      observed.jobs.push(aJob(job.stage, { attempt: job.attempt, state: 'Succeeded' }));
      observed.artifacts[job.key] = { stage: job.stage, key: job.key, digest: `digest of ${job.key}`, uri: 'file:///a', metadata: {} };
    }
  }
  throw new Error('the run did not come to its end');
}

describe('a training run', () => {
  it('starts the stages that need nothing of each other side by side', () => {
    expect(created(plan(aTrainingRun(), anObservation(), NOW))).toEqual(['prepare-faces#1', 'prepare-avatars#1']);
  });

  it('goes through its stages in order, publishes, and succeeds', () => {
    const { order, last } = runToTheEnd(aTrainingRun(), anObservation());
    expect(order).toEqual(['prepare-faces', 'prepare-avatars', 'pretrain', 'train', 'evaluate', 'publish']);
    expect(last.status?.phase).toBe('Succeeded');
    expect(last.status).toMatchObject({ model: { name: 'm', version: 1 } });
    expect(last.status?.conditions.find((c) => c.type === 'Succeeded')?.status).toBe('True');
  });

  it('uses the faces of another run in place of cutting its own', () => {
    const run = aTrainingRun({ source: { dataset: 'other' } });
    const { inputs } = anObservation();
    const waiting = plan(run, anObservation({ inputs: { ...inputs, 'prepare-faces': { state: 'Waiting', message: 'waiting for the faces of TrainingRun other' } } }), NOW);
    expect(created(waiting)).toEqual(['prepare-avatars#1']);
    const ready = anObservation({ inputs: { ...inputs, 'prepare-faces': { state: 'Ready', artifact: { stage: 'prepare-faces', key: 'f', digest: 'faces', uri: 'file:///f' } } } });
    const first = plan(run, ready, NOW).actions.flatMap((a) => (a.type === 'createJob' && a.assignment.stage === 'pretrain' ? [a.assignment] : []));
    expect(first).toMatchObject([{ inputs: { 'prepare-faces': { digest: 'faces' } } }]);
    expect(runToTheEnd(run, ready).order).toEqual(['prepare-avatars', 'pretrain', 'train', 'evaluate', 'publish']);
  });

  it('has not succeeded before its model is published', () => {
    const first = anObservation();
    runToTheEnd(aTrainingRun(), first);
    const before = plan(aTrainingRun({}, undefined, { uid: 'u2' }), anObservation({ artifacts: first.artifacts }), NOW);
    expect(before.actions).toContainEqual(expect.objectContaining({ type: 'publishModel', model: 'm', alias: 'staging' }));
    expect(before.status).toMatchObject({ phase: 'Running', conditions: expect.arrayContaining([expect.objectContaining({ type: 'Progressing', status: 'True', reason: 'Publishing' })]) });
    expect(before.requeueAfterMs).toBeDefined();
    const after = plan(aTrainingRun({}, before.status, { uid: 'u2' }), anObservation({ artifacts: first.artifacts, model: { name: 'm', version: 2 } }), NOW);
    expect(after.status).toMatchObject({ phase: 'Succeeded', model: { name: 'm', version: 2 } });
    expect(after.actions.map((a) => a.type)).toEqual(['recordEvent']);
  });

  it('takes what an earlier run made, and says so', () => {
    const first = anObservation();
    runToTheEnd(aTrainingRun(), first);
    const { order, last: again } = runToTheEnd(aTrainingRun({}, undefined, { uid: 'u2' }), anObservation({ artifacts: first.artifacts }));
    expect(order).toEqual([]);
    expect(again.status?.phase).toBe('Succeeded');
    expect(again.status?.stages.every((s) => s.cached)).toBe(true);
  });

  it('runs only what a changed configuration touches', () => {
    const first = anObservation();
    runToTheEnd(aTrainingRun(), first);
    const { order } = runToTheEnd(aTrainingRun({ train: { steps: 7 } }, undefined, { uid: 'u2' }), anObservation({ artifacts: { ...first.artifacts } }));
    expect(order).toEqual(['train', 'evaluate', 'publish']);
  });

  it('runs nothing anew for another rhythm of checkpoints and samples', () => {
    const first = anObservation();
    runToTheEnd(aTrainingRun(), first);
    const { order } = runToTheEnd(aTrainingRun({ train: { checkpointEverySteps: 7, sampleEverySteps: 9 } }, undefined, { uid: 'u2' }), anObservation({ artifacts: { ...first.artifacts } }));
    expect(order).toEqual([]);
  });

  it.each(['prepare-faces', 'prepare-avatars'] as const)('does %s anew when the folder that it reads changed, and only it', (stage) => {
    const run = aTrainingRun({ target: { images: { uri: 'file:///pictures' } } });
    const keys = (folder: string) => keysToLookUp(run, anObservation({ folders: { [stage]: folder } }));
    const [before, after] = [keys('a'), keys('b')];
    expect(before.filter((key) => !after.includes(key))).toHaveLength(1);
    expect(before).toHaveLength(2);
  });

  it('makes no second job while one runs', () => {
    const p = plan(aTrainingRun(), anObservation({ jobs: [aJob('prepare-faces'), aJob('prepare-avatars', { state: 'Pending' })] }), NOW);
    expect(created(p)).toEqual([]);
    expect(p.status?.phase).toBe('Running');
  });

  it('waits for its crawl and says for what', () => {
    const p = plan(aTrainingRun(), anObservation({ inputs: { crawl: { state: 'Waiting', message: 'waiting for CrawlJob avatars' } } }), NOW);
    expect(created(p)).toEqual(['prepare-faces#1']);
    expect(p.status?.stages.find((s) => s.name === 'prepare-avatars')?.message).toBe('waiting for CrawlJob avatars');
    expect(p.requeueAfterMs).toBeDefined();
  });

  it('fails with its crawl, stopping what runs', () => {
    const p = plan(aTrainingRun(), anObservation({ jobs: [aJob('prepare-faces')], inputs: { crawl: { state: 'Failed', message: 'CrawlJob avatars failed' } } }), NOW);
    expect(p.status?.phase).toBe('Failed');
    expect(p.actions).toContainEqual({ type: 'stopJob', job: 'faces-prepare-faces-1' });
  });

  it('that failed stops its other stages until they have ended, and says so', () => {
    const inputs = { crawl: { state: 'Failed' as const, message: 'CrawlJob avatars failed' } };
    const failed = plan(aTrainingRun(), anObservation({ jobs: [aJob('prepare-faces')], inputs }), NOW);
    const stopping = plan(aTrainingRun({}, failed.status), anObservation({ jobs: [aJob('prepare-faces')], inputs }), NOW);
    expect(stopping).toMatchObject({ actions: [{ type: 'stopJob' }], requeueAfterMs: 1_000 });
    const ended = plan(aTrainingRun({}, stopping.status), anObservation({ jobs: [aJob('prepare-faces', { state: 'Failed', disrupted: true })], inputs }), NOW);
    expect(ended.status?.stages[0]).toMatchObject({ name: 'prepare-faces', state: 'Failed', message: 'stopped because another stage failed' });
    expect(ended.actions).toEqual([]);
  });

  it.each([
    ['at once when it is impossible', { terminal: true }, 1, 'InvalidConfiguration'],
    ['when its attempts are spent', { attempt: 4 }, 4, 'BackoffLimitExceeded'],
  ])('fails %s', (_title, values, failures, reason) => {
    const jobs = Array.from({ length: failures }, (_, i) => aJob('prepare-faces', { ...values, attempt: i + 1, state: 'Failed', message: 'boom', completionTime: '2025-12-31T00:00:00Z' }));
    const p = plan(aTrainingRun(), anObservation({ jobs }), NOW);
    expect(p.status?.conditions.find((c) => c.type === 'Failed')).toMatchObject({ status: 'True', reason });
    expect(p.status?.conditions.find((c) => c.type === 'Failed')?.message).toContain('boom');
  });

  it('tries a failed stage again after a while, not at once', () => {
    const failed = (completionTime: string) => anObservation({ jobs: [aJob('prepare-faces', { state: 'Failed', completionTime }), aJob('prepare-avatars')] });
    const soon = plan(aTrainingRun(), failed('2025-12-31T23:59:59.800Z'), NOW);
    expect(created(soon)).toEqual([]);
    expect(soon.requeueAfterMs).toBeGreaterThan(0);
    expect(created(plan(aTrainingRun(), failed('2025-12-31T23:59:00Z'), NOW))).toEqual(['prepare-faces#2']);
  });

  it('does not count an interruption against the limit', () => {
    const jobs = Array.from({ length: 9 }, (_, i) => aJob('prepare-faces', { attempt: i + 1, state: 'Failed', disrupted: true, completionTime: '2026-01-01T00:00:00Z' }));
    expect(created(plan(aTrainingRun(), anObservation({ jobs: [...jobs, aJob('prepare-avatars')] }), NOW))).toEqual(['prepare-faces#10']);
  });

  it('says what keeps a stage from starting, once, and goes on when it is mended', () => {
    const obstacle = { reason: 'Unschedulable' as const, message: 'no node takes the pod' };
    const jobs = [aJob('prepare-faces', { state: 'Pending', obstacle }), aJob('prepare-avatars', { state: 'Pending' })];
    const hindered = plan(aTrainingRun(), anObservation({ jobs }), NOW);
    expect(hindered.status?.phase).toBe('Pending');
    expect(hindered.status?.conditions.find((c) => c.type === 'Progressing')).toMatchObject({ status: 'True', reason: 'Unschedulable', message: 'prepare-faces: no node takes the pod' });
    expect(hindered.requeueAfterMs).toBeDefined();
    expect(hindered.actions).toEqual([{ type: 'recordEvent', event: { type: 'Warning', reason: 'Unschedulable', message: 'prepare-faces: no node takes the pod' } }]);
    expect(plan(aTrainingRun({}, hindered.status), anObservation({ jobs }), NOW).actions).toEqual([]);
    const mended = plan(aTrainingRun({}, hindered.status), anObservation({ jobs: [aJob('prepare-faces'), aJob('prepare-avatars')] }), NOW);
    expect(mended.status).toMatchObject({ phase: 'Running' });
    expect(mended.status?.conditions.find((c) => c.type === 'Progressing')?.reason).toBe('StageRunning');
  });

  it('looks again seldom where changes are heard of, but soon at what nobody tells of', () => {
    const jobs = [aJob('prepare-faces'), aJob('prepare-avatars', { state: 'Pending', obstacle: { reason: 'Unschedulable', message: 'no node takes the pod' } })];
    const again = (values: Partial<Observed>) => plan(aTrainingRun(), anObservation(values), NOW).requeueAfterMs;
    expect([again({ jobs }), again({ jobs, resyncMs: 60_000 })]).toEqual([5_000, 60_000]);
    expect(again({ refusals: { 'prepare-faces': { reason: 'QuotaExceeded', message: 'exceeded quota' } }, resyncMs: 60_000 })).toBe(5_000);
  });

  it('counts no attempt that could not be made', () => {
    const refusals = { 'prepare-faces': { reason: 'QuotaExceeded' as const, message: 'exceeded quota' } };
    const refused = plan(aTrainingRun(), anObservation({ refusals }), NOW);
    expect(created(refused)).toEqual(['prepare-avatars#1']);
    expect(refused.status?.stages[0]).toMatchObject({ state: 'Pending', attempts: 0, message: 'exceeded quota' });
    expect(refused.status?.conditions.find((c) => c.type === 'Progressing')?.reason).toBe('QuotaExceeded');
    expect(created(plan(aTrainingRun({}, refused.status), anObservation({ jobs: [aJob('prepare-avatars')] }), NOW))).toEqual(['prepare-faces#1']);
  });

  it('stops when it is suspended and goes on afterwards', () => {
    const jobs = [aJob('prepare-faces')];
    const suspended = plan(aTrainingRun({ suspend: true }), anObservation({ jobs }), NOW);
    expect(suspended.status?.phase).toBe('Suspended');
    expect(suspended.actions).toContainEqual({ type: 'stopJob', job: 'faces-prepare-faces-1' });
    const stoppedJobs = [aJob('prepare-faces', { state: 'Failed', disrupted: true })];
    const resumed = plan(aTrainingRun({}, suspended.status), anObservation({ jobs: stoppedJobs }), NOW);
    expect(created(resumed)).toContain('prepare-faces#2');
  });

  it('fails at its deadline', () => {
    const begun = plan(aTrainingRun({ activeDeadlineSeconds: 60 }), anObservation(), NOW).status;
    const late = plan(aTrainingRun({ activeDeadlineSeconds: 60 }, begun), anObservation({ jobs: [aJob('prepare-faces')] }), NOW + 61_000);
    expect(late.status?.conditions.find((c) => c.type === 'Failed')?.reason).toBe('DeadlineExceeded');
  });

  it('is let go only when its jobs have ended', () => {
    const deleted = aTrainingRun({}, undefined, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    expect(plan(deleted, anObservation({ jobs: [aJob('train')] }), NOW).actions).toEqual([{ type: 'stopJob', job: 'faces-train-1' }]);
    expect(plan(deleted, anObservation(), NOW).actions).toEqual([{ type: 'forgetJobs' }, { type: 'removeFinalizer' }]);
  });

  it('whose artifacts go with it is held before anything is made, and let go when they are gone', () => {
    const spec = { deletionPolicy: 'Delete' };
    expect(plan(aTrainingRun(spec), anObservation(), NOW)).toEqual({ actions: [{ type: 'addFinalizer' }], requeueAfterMs: 0 });
    const held = { finalizers: ['example.org/theirs', 'caricature.dev/jobs'] };
    expect(created(plan(aTrainingRun(spec, undefined, held), anObservation(), NOW))).toEqual(['prepare-faces#1', 'prepare-avatars#1']);
    const deleted = aTrainingRun(spec, undefined, { ...held, deletionTimestamp: '2026-01-01T00:00:00Z' });
    expect(plan(deleted, anObservation({ jobs: [aJob('train')] }), NOW).actions).toEqual([{ type: 'stopJob', job: 'faces-train-1' }]);
    expect(plan(deleted, anObservation(), NOW).actions).toEqual([{ type: 'forgetJobs' }, { type: 'removeArtifacts' }, { type: 'removeFinalizer' }]);
  });

  it('that is done is held as well once its artifacts are to go with it', () => {
    const { last } = runToTheEnd(aTrainingRun(), anObservation());
    expect(plan(aTrainingRun({ deletionPolicy: 'Delete' }, last.status), anObservation(), NOW).actions).toEqual([{ type: 'addFinalizer' }]);
  });

  it('goes when its time to live is over', () => {
    const { last } = runToTheEnd(aTrainingRun({ ttlSecondsAfterFinished: 10 }), anObservation());
    const run = aTrainingRun({ ttlSecondsAfterFinished: 10 }, last.status);
    expect(plan(run, anObservation(), NOW + 9_000)).toMatchObject({ requeueAfterMs: 1_000 });
    expect(plan(run, anObservation(), NOW + 10_000).actions).toContainEqual({ type: 'delete' });
  });

  describe('that goes wrong', () => {
    const health = { step: 450, steps: 450, samples: 0, accuracy: 0.99, since: { DiscriminatorDominating: 300 } };
    /** The run in its stage train, of which `attempt` is at work. */
    function training(onUnhealthy: string, attempt: number, report: Observed['reports']['train'], values: Partial<JobObservation> = {}, before?: ResourceStatus): Plan {
      const first = anObservation();
      const spec = { train: { onUnhealthy } };
      const done = runToTheEnd(aTrainingRun(spec), first).last.status!;
      const stages = done.stages.map((s) => (['train', 'evaluate', 'publish'].includes(s.name) ? { name: s.name, state: 'Pending' as const, attempts: 0, cached: false } : s));
      const status = before ?? { ...done, phase: 'Running' as const, stages };
      const job = aJob('train', { attempt, ...values });
      return plan(aTrainingRun(spec, status), anObservation({ jobs: [job], reports: { train: report } }), NOW);
    }
    const conditionOf = (p: Plan, type: string) => p.status?.conditions.find((c) => c.type === type);
    const stageOf = (p: Plan) => p.status!.stages.find((s) => s.name === 'train')!;
    const jobsOf = (p: Plan) => p.actions.flatMap((a) => (a.type === 'createJob' ? [a.assignment] : []));

    it('has its losses in as many digits as anybody reads', () => {
      expect(stageOf(training('Continue', 1, { attempt: 1, metrics: { g: 3.311634063720703, lost: 12345.6, step: 0 } })).metrics).toEqual({ g: 3.312, lost: 12350, step: 0 });
    });

    it('says so in a condition, and goes on where it is told to', () => {
      const p = training('Continue', 1, { attempt: 1, health });
      expect(conditionOf(p, 'DiscriminatorDominating')).toMatchObject({ status: 'True', reason: 'DiscriminatorAlwaysRight' });
      expect(p.status?.phase).toBe('Running');
      expect(p.actions.filter((a) => a.type === 'stopJob')).toEqual([]);
    });

    it('is stopped where it is told to', () => {
      const p = training('Stop', 1, { attempt: 1, health });
      expect(conditionOf(p, 'Failed')).toMatchObject({ status: 'True', reason: 'TrainingUnhealthy', message: expect.stringContaining('spec.train.onUnhealthy is Stop') });
      expect(p.actions).toContainEqual({ type: 'stopJob', job: 'faces-train-1' });
    });

    it('is rolled back to before it went wrong: stopped, then gone on with from there', () => {
      const stopping = training('Rollback', 1, { attempt: 1, health });
      expect(stageOf(stopping).rollback).toEqual({ times: 1, toStep: 200, attempt: 2 });
      expect(stopping.actions.map((a) => a.type)).toEqual(['recordEvent', 'stopJob']);
      const again = training('Rollback', 1, { attempt: 1, health }, {}, stopping.status);
      expect(again.actions).toEqual([{ type: 'stopJob', job: 'faces-train-1' }]);
      const stopped = training('Rollback', 1, { attempt: 1, health }, { state: 'Failed', disrupted: true }, again.status);
      expect(jobsOf(stopped)).toMatchObject([{ attempt: 2, pace: { rollback: { times: 1, toStep: 200 } } }]);
      // The next attempt is judged by itself, and each that follows it goes on at the same rate.
      const running = training('Rollback', 2, { attempt: 1, health }, {}, stopped.status);
      expect(running.actions).toEqual([]);
      const interrupted = training('Rollback', 2, { attempt: 2 }, { state: 'Failed', disrupted: true }, running.status);
      expect(jobsOf(interrupted)).toMatchObject([{ attempt: 3, pace: { rollback: { times: 1, toStep: 200 } } }]);
    });

    it('is rolled back when its losses are no numbers any more, which otherwise ends it', () => {
      const failure = { type: 'failed' as const, code: 'TRAINING_DIVERGED', message: 'g became NaN at step 7', retryable: false };
      const ended = { state: 'Failed' as const, terminal: true };
      expect(jobsOf(training('Rollback', 1, { attempt: 1, failure, health: { ...health, since: {} } }, ended))).toMatchObject([{ attempt: 2, pace: { rollback: { times: 1, toStep: 350 } } }]);
      expect(conditionOf(training('Continue', 1, { attempt: 1, failure }, ended), 'Failed')).toMatchObject({ status: 'True', reason: 'InvalidConfiguration' });
    });

    it('is given up after its rollbacks are spent', () => {
      const stopping = training('Rollback', 1, { attempt: 1, health });
      stageOf(stopping).rollback = { times: 3, toStep: 200, attempt: 4 };
      const p = training('Rollback', 4, { attempt: 4, health }, {}, stopping.status);
      expect(conditionOf(p, 'Failed')).toMatchObject({ reason: 'TrainingUnhealthy', message: expect.stringContaining('given up after 3 rollbacks') });
    });

    it('computes something else when it may be rolled back, and only then', () => {
      const keyOf = (onUnhealthy: string) => jobsOf(training(onUnhealthy, 1, undefined, { state: 'Failed', disrupted: true }))[0]!.key;
      expect(keyOf('Stop')).toBe(keyOf('Continue'));
      expect(keyOf('Rollback')).not.toBe(keyOf('Continue'));
    });
  });

  it('plans the same from the same', () => {
    const observed = anObservation({ jobs: [aJob('prepare-faces')] });
    expect(plan(aTrainingRun(), observed, NOW)).toEqual(plan(aTrainingRun(), observed, NOW));
  });
});
