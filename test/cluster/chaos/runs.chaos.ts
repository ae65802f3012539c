// make chaos RUNS=10 INTERRUPTIONS=100 SEED=7, or fewer. What came of it: docs/interruptions.md.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '@caricature/tensors';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { Manifest } from '../../charts/chart.js';
import type { Access } from '../api.mjs';
import { draw, INTERRUPTIONS, strike, type Reach } from './interruptions.js';
import { PodWatch } from './pod-watch.js';
import { useCluster, type Cluster } from '../cluster.mjs';
import { bringImagesToCluster } from '../images.mjs';
import { Installation } from '../installation.js';
import { OwnNode } from '../own-node.js';
import { outcomeOf, repetitionsIn, resultOf, type RunOutcome } from '../run-outcome.js';
import { retold, tinyResources, WAYS_TO_SAY } from '../tiny-resources.js';

const MINUTE = 60_000;
const RUNS = Number(process.env['CHAOS_RUNS'] ?? 2);
const COUNT = Number(process.env['CHAOS_INTERRUPTIONS'] ?? 6);
const SEED = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 1e6));
const STEPS = 400;
if (RUNS > WAYS_TO_SAY) throw new Error(`CHAOS_RUNS is at most ${WAYS_TO_SAY}: of more, some would be taken from the cache`);
/** At most this long between two interruptions, and this long until one that is not possible just now is left for another. */
const LONGEST_PAUSE_MS = 4_000;
const PATIENCE_MS = 20_000;

describe(`${RUNS} runs under ${COUNT} random interruptions (CHAOS_SEED=${SEED})`, () => {
  let cluster: Cluster;
  let chart: Installation;
  let reach: Reach;
  let run: Manifest;
  let wanted: RunOutcome;
  const random = new Random(SEED);
  const names = Array.from({ length: RUNS }, (_, i) => `chaos-${i + 1}`);
  const done: { name: string; endsAttempts: boolean }[] = [];

  beforeAll(async () => {
    cluster = await useCluster({ log: console.log });
    if (!cluster.isOwn) return;
    await bringImagesToCluster({ log: console.log });
    chart = await Installation.prepare(cluster, `chaos-${process.pid}`);
    await chart.upgrade();
    reach = { node: await OwnNode.find(), access: await accessBy(cluster.kubeconfig), namespace: chart.namespace, random };
    const [crawl, quiet] = await tinyResources(chart);
    quiet.metadata.name = 'undisturbed';
    quiet.spec.backoffLimit = 100;
    Object.assign(quiet.spec.train, { steps: STEPS, checkpointEverySteps: 25, sampleEverySteps: 200 });
    run = quiet;
    await chart.apply(crawl, quiet);
    await chart.kubectl('wait', '--for=condition=Succeeded', '--timeout=10m', 'trainingrun/undisturbed');
    wanted = await outcomeOf(chart, 'undisturbed');
  }, 45 * MINUTE);
  afterAll(() => chart?.remove(), 3 * MINUTE);

  const needsOwn = (context: TestContext) => {
    if (!cluster.isOwn) context.skip('only a cluster of our own may have its servers killed');
  };

  it('all succeed', async (context) => {
    needsOwn(context);
    const watch = new PodWatch(reach);
    const over = new AbortController();
    const watching = watch.run(over.signal);
    const began = performance.now();
    await storm();
    for (const name of names) await patiently(() => chart.kubectl('wait', '--for=condition=Succeeded', '--timeout=60s', `trainingrun/${name}`), 15 * MINUTE);
    over.abort();
    await watching;
    console.log(summary(done, (performance.now() - began) / 1000, watch.looks));
    expect(done).toHaveLength(COUNT);
    expect(watch.looks).toBeGreaterThan(10);
    expect([...watch.found]).toEqual([]);
  }, COUNT * MINUTE + 30 * MINUTE);

  it.for(names)('%s lost nothing and did nothing twice', async (name, context) => {
    needsOwn(context);
    const outcome = await patiently(() => outcomeOf(chart, name), MINUTE);
    expect(resultOf(outcome)).toEqual(resultOf(wanted));
    expect(repetitionsIn(outcome)).toEqual([]);
  });

  it('began stages anew only where an attempt was ended, and published each model once', async (context) => {
    needsOwn(context);
    const outcomes = await Promise.all(names.map((name) => outcomeOf(chart, name)));
    const extra = outcomes.flatMap(({ stages }) => stages).reduce((sum, { attempts }) => sum + Math.max(0, attempts - 1), 0);
    console.log(`attempts beyond the first: ${extra}`);
    // A node without power, or a store that is away, ends the attempts of both runs that have a GPU.
    expect(extra).toBeLessThanOrEqual(2 * done.filter(({ endsAttempts }) => endsAttempts).length);
    const [{ versions }] = (await chart.askApi<{ versions: { runUid: string }[] }>(['/models/caricature'])) as [{ versions: { runUid: string }[] }];
    expect(new Set(versions.map(({ runUid }) => runUid)).size).toBe(RUNS + 1);
    expect(versions).toHaveLength(RUNS + 1);
  });

  /** Runs are begun one after the other, so that one is in flight until the last interruption. */
  async function storm(): Promise<void> {
    let begun = 0;
    while (done.length < COUNT) {
      const due = Math.min(RUNS, 1 + Math.floor((done.length * RUNS) / COUNT));
      for (; begun < due; begun++) await patiently(() => chart.apply(retold(run, names[begun]!, 1 + (begun % WAYS_TO_SAY))), 2 * MINUTE);
      await sleep(500 + random.uniform() * (LONGEST_PAUSE_MS - 500));
      const interruption = draw(random);
      const whom = await strike(interruption, reach, PATIENCE_MS);
      if (!whom) continue;
      done.push(interruption);
      console.log(`${new Date().toISOString()} ${String(done.length).padStart(3)}. ${interruption.name}: ${whom}`);
    }
  }
});

/** Asks again while the API server is away. */
async function patiently<T>(ask: () => Promise<T>, patienceMs: number): Promise<T> {
  for (const deadline = performance.now() + patienceMs; ; await sleep(500)) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}

async function accessBy(kubeconfig: string): Promise<Access> {
  const { clusters, users } = JSON.parse(await readFile(kubeconfig, 'utf8')) as { clusters: { cluster: Record<string, string> }[]; users: { user: { token: string } }[] };
  const { server, 'certificate-authority-data': ca } = clusters[0]!.cluster;
  return { url: server!, ca: Buffer.from(ca!, 'base64').toString(), token: users[0]!.user.token };
}

function summary(done: { name: string }[], seconds: number, looks: number): string {
  const rows = INTERRUPTIONS.map(({ name }) => ({ name, count: done.filter((each) => each.name === name).length })).filter(({ count }) => count > 0);
  return [`${done.length} interruptions in ${Math.round(seconds)} s, pods looked at ${looks} times`, ...rows.map(({ name, count }) => `  ${String(count).padStart(3)}  ${name}`)].join('\n');
}
