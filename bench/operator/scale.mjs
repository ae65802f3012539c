// The controller alone with very many resources: its start, a time in which nothing changes, and changes.
import { setTimeout as sleep } from 'node:timers/promises';
import { Follower } from './follower.mjs';
import { ourController } from './operators.mjs';
import { runsPath, until } from './place.mjs';
import { KEPT_SECONDS, makeFinished, makeRunning } from './population.mjs';
import { cpuSeconds, memory } from './usage.mjs';

const NAMESPACE = 'scale';
const CHANGES_PER_SECOND = 10;
/** As often as a Prometheus usually looks. */
const SCRAPE_MS = 15_000;

/** @returns {Promise<object>} seconds, bytes and requests; see report.mjs for what of it is told */
export async function measureScale(place, { finished, running, changes, idle }, log) {
  await place.createNamespace(NAMESPACE);
  const controller = await ourController(place);
  log(`making ${running} running and ${finished} finished runs …`);
  await withService(await controller.start(NAMESPACE), () => makeRunning(place, NAMESPACE, running));
  await makeFinished(place, NAMESPACE, finished);
  log('starting the controller …');
  const startedAt = performance.now();
  return withService(await controller.start(NAMESPACE), async (service) => {
    const scraping = setInterval(() => void scrape(service).catch(() => undefined), SCRAPE_MS);
    try {
      await quiet(service, finished + running);
      const start = { seconds: (performance.now() - startedAt) / 1000, ...memory(service.pid), cpuSeconds: cpuSeconds(service.pid) };
      log(`it was through after ${start.seconds.toFixed(1)} s; ${idle} s without a change …`);
      const still = await measureIdle(service, place, idle);
      log(`${changes} changes …`);
      const latencies = await measureChanges(place, { finished, running, changes });
      return { start, idle: still, changes: latencies, ...memory(service.pid) };
    } finally {
      clearInterval(scraping);
    }
  });
}

async function withService(service, work) {
  try {
    return await work(service);
  } finally {
    await service.stop();
  }
}

/** Waits until every resource has been looked at and nothing waits. */
async function quiet(service, count) {
  await until('the controller has looked at everything', async () => {
    const metrics = await scrape(service).catch(() => undefined);
    if (!service.isRunning()) throw new Error(`${service.name} ended: see ${service.logFile}`);
    if (!metrics) return false;
    return metrics.sum('caricature_reconcile_total') >= count && metrics.sum('caricature_reconcile_queue_depth') === 0;
  }, { withinMs: 400_000, everyMs: 5_000 });
}

async function scrape({ url }) {
  const text = await (await fetch(`${url}/metrics`)).text();
  const series = (name, labels) => text.matchAll(new RegExp(`^${name}(?:\\{[^}]*${labels}[^}]*\\})? (\\S+)$`, 'gm'));
  return { sum: (name, labels = '') => [...series(name, labels)].reduce((total, [, value]) => total + Number(value), 0) };
}

async function measureIdle(service, { postmaster }, seconds) {
  const taken = () => ({ controller: cpuSeconds(service.pid), database: cpuSeconds(postmaster, { children: true }) });
  const [before, cpu] = [await scrape(service), taken()];
  await sleep(seconds * 1000);
  const [after, cpuAfter] = [await scrape(service), taken()];
  const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];
  const asked = (metrics, verb) => metrics.sum('caricature_api_requests_total', `verb="${verb}"`);
  const requests = Object.fromEntries(verbs.map((verb) => [verb, asked(after, verb) - asked(before, verb)]));
  return {
    seconds,
    requests,
    rounds: after.sum('caricature_reconcile_total') - before.sum('caricature_reconcile_total'),
    cores: { controller: (cpuAfter.controller - cpu.controller) / seconds, database: (cpuAfter.database - cpu.database) / seconds },
    ...memory(service.pid),
  };
}

/** Users change finished and running runs in turn. @returns {Promise<number[]>} seconds from each change until its status tells of it, sorted */
async function measureChanges({ client }, { finished, running, changes }) {
  const follower = new Follower(client, NAMESPACE);
  await follower.synced();
  const begun = performance.now();
  const made = [];
  for (let i = 0; i < changes; i++) {
    await sleep(Math.max(0, begun + (i * 1000) / CHANGES_PER_SECOND - performance.now()));
    const nth = Math.floor(i / 2);
    const name = i % 2 ? `running-${nth % running}` : `finished-${nth % finished}`;
    const at = performance.now();
    const changed = client.merge(`${runsPath(NAMESPACE)}/${name}`, { spec: { ttlSecondsAfterFinished: KEPT_SECONDS + 1 + i } });
    made.push(changed.then(({ metadata }) => ({ key: `${name}/${metadata.generation}`, at })));
  }
  try {
    const asked = await Promise.all(made);
    await until('every change is told of', () => asked.every(({ key }) => follower.generations.has(key)), { withinMs: 120_000 });
    return asked.map(({ key, at }) => (follower.generations.get(key) - at) / 1000).sort((a, b) => a - b);
  } finally {
    follower.stop();
  }
}
