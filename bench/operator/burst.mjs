// Many runs applied at once to an operator that has just warmed up: how long until each has its Job, and what that took.
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Follower } from './follower.mjs';
import { forEach, jobsPath, runsPath, until } from './place.mjs';
import { countRequests, requestsBetween } from './requests.mjs';
import { cpuSeconds, memory } from './usage.mjs';
import { aTrainingRun } from './work.mjs';

const PATIENCE_MS = 300_000;
/** Events are written beside the work: they are all there when no more come for so long. */
const QUIET_MS = 2_000;
const LOOK_AGAIN_MS = 250;

/**
 * One turn of one operator in a namespace of its own.
 * @param {{runs: number, warmUp: number}} sizes
 * @returns {Promise<object>} seconds until all have Jobs, statuses and events; CPU seconds and bytes of those involved; the operator's requests; what
 *   was written for one run
 */
export async function measureBurst(place, operator, namespace, { runs, warmUp }) {
  await place.createNamespace(namespace);
  const service = await operator.start(namespace);
  const follower = new Follower(place.client, namespace);
  try {
    await applyRuns(place, namespace, newRuns(namespace, 'warm-up', warmUp));
    await untilServed(service, 'the runs of the warm-up have Jobs and statuses', () => follower.jobs.size >= warmUp && follower.statuses.size >= warmUp);
    const sample = await workOf(place, namespace, 'warm-up-0');
    await settled(place, namespace);
    const documents = newRuns(namespace, 'run', runs);
    const [before, taken] = [await countRequests(place.client), usageOf(place, service)];
    follower.begin('run-');
    const begun = performance.now();
    await applyRuns(place, namespace, documents);
    await untilServed(service, `${runs} runs have Jobs and statuses`, () => follower.jobs.size >= runs && follower.statuses.size >= runs);
    const events = await settled(place, namespace);
    const used = difference(usageOf(place, service), taken);
    const requests = requestsBetween(before, await countRequests(place.client), { 'POST trainingruns': runs, 'LIST events': events.looks });
    const [jobs, statuses] = [secondsTo(follower.jobs, begun), secondsTo(follower.statuses, begun)];
    return { jobs, statuses, events: (events.since - begun) / 1000, ...used, requests, sample };
  } finally {
    follower.stop();
    await service.stop();
    await place.empty(namespace);
  }
}

/** Documents of runs named `prefix-0` and so on, each with a seed of its own. */
export function newRuns(namespace, prefix, count, specOf = () => ({})) {
  return Array.from({ length: count }, (_, i) => aTrainingRun(`${prefix}-${i}`, namespace, { seed: i + 1, ...specOf(i) }));
}

/** @returns {Promise<object[]>} the runs as the API server has them */
export function applyRuns(place, namespace, documents) {
  return forEach(documents, (document) => place.client.create(runsPath(namespace), document));
}

const secondsTo = (seen, begun) => (Math.max(...seen.values()) - begun) / 1000;

async function untilServed(service, what, holds) {
  await until(what, () => {
    if (!service.isRunning()) throw new Error(`${service.name} ended before ${what}: see ${service.logFile}`);
    return holds();
  }, { withinMs: PATIENCE_MS });
}

/** When the last event was written, by the count of them, and how often that was looked at. */
async function settled(place, namespace) {
  for (let [count, since, looks] = [-1, 0, 0]; ; ) {
    const { items, metadata } = await place.client.list(`/api/v1/namespaces/${namespace}/events`, { limit: 1 });
    looks++;
    const now = items.length + (metadata.remainingItemCount ?? 0);
    if (now !== count) [count, since] = [now, performance.now()];
    if (performance.now() - since > QUIET_MS) return { since, looks };
    await sleep(LOOK_AGAIN_MS);
  }
}

/** What was written for one run, as the API server has it. */
async function workOf({ client }, namespace, name) {
  const run = await client.get(`${runsPath(namespace)}/${name}`);
  const { items: [job] } = await client.list(jobsPath(namespace), { labelSelector: `caricature.dev/name=${name}` });
  const events = await eventsOf(client, namespace, name);
  const { labels, annotations, uid } = job.metadata;
  return { spec: job.spec, labels, annotations, status: run.status, events, identity: [name, namespace, run.metadata.uid, uid] };
}

async function eventsOf(client, namespace, name) {
  await sleep(QUIET_MS);
  const { items } = await client.list(`/api/v1/namespaces/${namespace}/events`, { fieldSelector: `involvedObject.name=${name}` });
  return items.map(({ type, reason, message }) => ({ type, reason, message })).sort((a, b) => a.reason.localeCompare(b.reason));
}

function usageOf({ plane: { services }, postmaster }, { pid }) {
  return {
    operator: cpuSeconds(pid),
    database: cpuSeconds(postmaster, { children: true }),
    apiServer: cpuSeconds(services['kube-apiserver'].pid) + cpuSeconds(services.etcd.pid),
    harness: process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
    peakBytes: memory(pid).peakBytes,
  };
}

function difference({ peakBytes, ...after }, before) {
  return { cpu: Object.fromEntries(Object.entries(after).map(([name, seconds]) => [name, seconds - before[name]])), peakBytes };
}
