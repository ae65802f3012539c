import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderDashboards } from '../../charts/dashboards/index.js';
import { Machine } from '../e2e/command.js';
import { CHART, ROOT } from './chart.js';
import { CLUSTER, GPUS, queriesOf } from './panels.js';
import { Prometheus, promtool } from './prometheus.js';

const TINY = join(ROOT, 'test/e2e/tiny.yaml');
const RULES = join(CHART, 'files/alerts.yaml');

const panels = renderDashboards().flatMap(({ name, text }) => queriesOf(name, text));
// Those of a cluster are asked for in controller.spec.ts.
const here = panels.filter(({ expr }) => !GPUS.test(expr) && !CLUSTER.test(expr));

describe('Prometheus after a real run', () => {
  let machine: Machine;
  let prometheus: Prometheus;

  beforeAll(async () => {
    machine = await Machine.create();
    const address = (url: string) => new URL(url).host;
    prometheus = await Prometheus.start({ targets: { controller: address(machine.controllerUrl), inference: address(machine.inferenceUrl) }, rules: [RULES] });
    const run = machine.start('-f', TINY, '--result', machine.resultFile);
    await Promise.race([run.until('Serving'), run.ended.then(({ output }) => Promise.reject(new Error(output)))]);
    await askForCaricatures(machine);
    await sleep(3_000); // two scrapes more: a rate needs two
  }, 300_000);
  afterAll(async () => {
    await prometheus?.stop();
    await machine?.clear();
  });

  it.each(here)('$dashboard, $panel: $expr', async ({ expr }) => {
    const series = await prometheus.queryRange(expr, 5);
    const numbers = series.flatMap(({ values }) => values.map(([, value]) => Number(value))).filter(Number.isFinite);
    expect(numbers.length, 'the query gives no number').toBeGreaterThan(0);
  });

  it('evaluates every alert rule, and has every series that they look at', async () => {
    const rules = await prometheus.alertRules();
    expect(rules.length).toBeGreaterThan(5);
    for (const { name, health, lastError, query } of rules) {
      expect(health, `${name}: ${lastError}`).toBe('ok');
      const metrics = [...query.matchAll(/caricature_\w+/g)].map(([metric]) => metric).filter((metric) => !CLUSTER.test(metric));
      for (const metric of metrics) expect((await prometheus.queryRange(metric, 5)).length, `${name} looks at ${metric}`).toBeGreaterThan(0);
    }
  });

  it.each([['controller'], ['inference']] as const)('promtool finds nothing wrong with the metrics of %s', async (program) => {
    const url = program === 'controller' ? machine.controllerUrl : machine.inferenceUrl;
    const { ok, output } = await promtool(['check', 'metrics'], await (await fetch(`${url}/metrics`)).text());
    expect(output).toBe('');
    expect(ok).toBe(true);
  });

  it.each([
    'caricature_training_loss', 'caricature_training_step', 'caricature_training_images_total', 'caricature_training_step_seconds', 'caricature_training_eta_seconds',
    'caricature_discriminator_accuracy', 'caricature_crawl_images_total', 'caricature_crawl_bytes_total', 'caricature_crawl_request_seconds', 'caricature_prepare_images_total',
    'caricature_reconcile_total', 'caricature_reconcile_seconds_count', 'caricature_reconcile_queue_depth', 'caricature_inference_requests_total',
    'caricature_inference_seconds_count', 'caricature_inference_batch_size_count', 'caricature_inference_queue_depth', 'caricature_artifact_bytes_total',
  ])('has %s', async (metric) => {
    expect((await prometheus.queryRange(metric, 5)).length).toBeGreaterThan(0);
  });

  it('has every loss of the DTN and the accuracy of each of the three classes', async () => {
    const losses = (await prometheus.query('caricature_training_loss{stage="train"}')).map(({ metric }) => metric['loss']);
    expect(losses).toEqual(expect.arrayContaining(['g', 'gan', 'const', 'tid', 'd']));
    const classes = (await prometheus.query('caricature_discriminator_accuracy{class!="all"}')).map(({ metric }) => metric['class']);
    expect(classes.sort()).toEqual(['reconstructed', 'target', 'transferred']);
  });
});

/** Enough for every panel: while the API still looks for the model, and afterwards. */
async function askForCaricatures(machine: Machine): Promise<void> {
  const run = (await machine.results()).find((r) => r.kind === 'TrainingRun')!;
  const photo = await readFile(join(fileURLToPath(run.status.stages.find((s) => s.name === 'evaluate')!.artifact!.uri), 'photo.jpg'));
  const ask = () => fetch(`${machine.inferenceUrl}/v1/caricatures?crop=none`, { method: 'POST', headers: { 'content-type': 'image/jpeg' }, body: new Uint8Array(photo) });
  const deadline = Date.now() + 60_000;
  while (!(await ask()).ok) {
    if (Date.now() > deadline) throw new Error('no caricature after a minute');
    await sleep(300);
  }
  for (let request = 0; request < 4; request++) {
    await sleep(1_000);
    expect((await ask()).status).toBe(200);
    // The page shows samples: the controller reads them from the artifact store.
    expect((await fetch(`${machine.controllerUrl}/api/v1/runs/${run.metadata.uid}/samples/20`)).status).toBe(200);
  }
}
