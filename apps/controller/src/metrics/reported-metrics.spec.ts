import { ControllerMetrics, createRegistry } from '@caricature/metrics';
import { describe, expect, it } from 'vitest';
import type { Phase, ReportItem, StageAssignment } from '@caricature/contracts';
import type { ResourceSummary } from '@caricature/reconciler';
import { observedReports, toRow, withItems, type LatestReport } from '../reports/stage-reports.js';
import { exposeReports, exposeResources } from './reported-metrics.js';

const run = { owner: { kind: 'TrainingRun' as const, namespace: 'default', name: 'faces', uid: 'u1' }, stage: 'train' as const, attempt: 1, pace: {} };
const at = '2026-01-01T00:00:00.000Z';

/** What was told so far of each run. */
class Told {
  latest: LatestReport | undefined;
  record(reporter: Pick<StageAssignment, 'owner' | 'stage' | 'attempt' | 'pace'>, item: ReportItem): void {
    this.latest = withItems(this.latest, reporter, [item]);
  }
  all(): LatestReport[] {
    return this.latest ? [this.latest] : [];
  }
}

async function expose(reports: Told, metrics = new ControllerMetrics(createRegistry(), () => 3)): Promise<string> {
  exposeReports(reports.all(), metrics);
  return metrics.registry.metrics();
}

describe('what workers told, at Prometheus', () => {
  it('has a series for each loss and class, and the images seen', async () => {
    const reports = new Told();
    reports.record(run, { type: 'progress', step: 10, totalSteps: 100, etaSeconds: 45 });
    reports.record(run, { type: 'metrics', step: 10, at, values: { const: 0.5, 'accuracy/target': 0.75, 'step/seconds': 0.5, 'images/second': 64 } });
    const text = await expose(reports);
    expect(text).toContain('caricature_training_loss{run="default/faces",stage="train",loss="const"} 0.5');
    expect(text).toContain('caricature_discriminator_accuracy{run="default/faces",class="target"} 0.75');
    expect(text).toContain('caricature_training_step{run="default/faces",stage="train"} 10');
    expect(text).toContain('caricature_training_eta_seconds{run="default/faces",stage="train"} 45');
    expect(text).toContain('caricature_training_images_total{run="default/faces",stage="train"} 320');
    expect(text).toContain('caricature_reconcile_queue_depth 3');
    expect(text).not.toContain('loss="step/seconds"');
  });

  it('says that a stage diverged until its next attempt speaks', async () => {
    const reports = new Told();
    reports.record(run, { type: 'metrics', step: 1, at, values: { g: 1 } });
    expect(await expose(reports)).toContain('caricature_training_diverged{run="default/faces",stage="train"} 0');
    reports.record(run, { type: 'failed', code: 'TRAINING_DIVERGED', message: 'g became NaN at step 2', retryable: true });
    expect(await expose(reports)).toContain('caricature_training_diverged{run="default/faces",stage="train"} 1');
    reports.record({ ...run, attempt: 2 }, { type: 'progress', step: 1, totalSteps: 2 });
    expect(await expose(reports)).toContain('caricature_training_diverged{run="default/faces",stage="train"} 0');
  });

  it('has the number of resources in each phase, and which training stages run', async () => {
    const metrics = new ControllerMetrics(createRegistry(), () => 0);
    const stages = [{ name: 'prepare-faces', state: 'Succeeded' }, { name: 'pretrain', state: 'Succeeded' }, { name: 'train', state: 'Running' }];
    const aSummary = (name: string, phase: Phase): ResourceSummary => ({ kind: 'TrainingRun', namespace: 'default', name, uid: name, phase });
    const all = [aSummary('faces', 'Running'), aSummary('new', 'Pending'), aSummary('old', 'Succeeded'), aSummary('older', 'Succeeded')];
    exposeResources(all, [{ kind: 'TrainingRun', metadata: { namespace: 'default', name: 'faces' }, status: { phase: 'Running', stages } }, { kind: 'TrainingRun', metadata: { namespace: 'default', name: 'new' } }] as never, metrics);
    const text = await metrics.registry.metrics();
    expect(text).toContain('caricature_resources{kind="TrainingRun",phase="Running"} 1');
    expect(text).toContain('caricature_resources{kind="TrainingRun",phase="Pending"} 1');
    expect(text).toContain('caricature_resources{kind="TrainingRun",phase="Succeeded"} 2');
    expect(text).toContain('caricature_resources{kind="CrawlJob",phase="Failed"} 0');
    expect(text).toContain('caricature_training_running{run="default/faces",stage="train"} 1');
    expect(text).toContain('caricature_training_running{run="default/faces",stage="pretrain"} 0');
    expect(text).not.toContain('caricature_training_running{run="default/faces",stage="prepare-faces"}');
  });

  it('is gone with its resource', async () => {
    const reports = new Told();
    reports.record(run, { type: 'metrics', step: 1, at, values: { g: 1 } });
    const metrics = new ControllerMetrics(createRegistry(), () => 0);
    expect(await expose(reports, metrics)).toContain('run="default/faces"');
    reports.latest = undefined;
    expect(await expose(reports, metrics)).not.toContain('run="default/faces"');
  });

  it('is bounded, whatever names a worker makes up', async () => {
    const reports = new Told();
    reports.record(run, { type: 'metrics', step: 1, at, values: Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`l${i}`, i])) });
    expect((await expose(reports)).match(/caricature_training_loss\{/g)).toHaveLength(64);
  });

  it('forgets the failure of an attempt when the next one speaks, but not what was learned', () => {
    const reports = new Told();
    reports.record(run, { type: 'metrics', step: 1, at, values: { g: 1 } });
    reports.record(run, { type: 'failed', code: 'X', message: 'broken', retryable: true });
    const observed = () => observedReports([{ ...toRow(reports.latest!), updatedAt: new Date() }]).train;
    expect(observed()?.failure?.message).toBe('broken');
    reports.record({ ...run, attempt: 2 }, { type: 'progress', step: 1, totalSteps: 2 });
    expect(observed()).toEqual({ attempt: 2, progress: { step: 1, totalSteps: 2 }, metrics: { g: 1 } });
  });
});
