// What of the figures is told, and against which limits.
import { median } from '../harness/contestant.mjs';
import { createRow } from '../harness/rows.mjs';

const MIB = 2 ** 20;

/** @param {Record<string, object[]>} bursts turns by operator, ours among them */
export function burstRows({ caricature, ...peers }, runs) {
  const row = (what, unit, of, goals = {}, names = Object.keys(peers)) => {
    const middle = (turns) => median(turns.map(of));
    return createRow({ what, unit, ours: middle(caricature), peers: Object.fromEntries(names.map((name) => [name, middle(peers[name])])), ...goals });
  };
  const goals = { 'controller-runtime': 1, kopf: 10 };
  return [
    ...Object.keys(peers).map((name) => row(`${runs} runs at once: all have their Job`, 's', (t) => t.jobs, { goal: goals[name] }, [name])),
    ...(Object.keys(peers).length === 0 ? [row(`${runs} runs at once: all have their Job`, 's', (t) => t.jobs)] : []),
    row('… and their status', 's', (t) => t.statuses),
    row('… and their events', 's', (t) => t.events),
    row('CPU of the operator', 's', (t) => t.cpu.operator),
    row('CPU of its PostgreSQL', 's', (t) => t.cpu.database),
    row('CPU of the API server and etcd', 's', (t) => t.cpu.apiServer),
    row('requests for each run', '', (t) => requestsOf(t) / runs),
    row('most memory', 'MiB', (t) => t.peakBytes / MIB),
  ];
}

/** Watches are few, and counted when they end. */
function requestsOf({ requests }) {
  return Object.entries(requests).filter(([what]) => !what.startsWith('WATCH')).reduce((sum, [, count]) => sum + count, 0);
}

/** The limits stand as peers: a ratio of at least 1 keeps them. */
export function scaleRows({ start, idle, changes, peakBytes }, { finished, running }) {
  const limited = (what, unit, ours, limit) => createRow({ what, unit, ours, peers: { limit }, goal: 1 });
  const told = (what, unit, ours) => createRow({ what, unit, ours, peers: {} });
  const percentile = (p) => changes[Math.min(changes.length - 1, Math.ceil(changes.length * p) - 1)];
  const asked = Object.values(idle.requests).reduce((sum, count) => sum + count, 0);
  return [
    told(`start with ${finished} finished and ${running} running runs`, 's', start.seconds),
    limited('a change until its status, p99', 's', percentile(0.99), 1),
    told('a change until its status, median', 's', percentile(0.5)),
    limited('most memory of the controller', 'MiB', peakBytes / MIB, 400),
    told(`API requests in ${idle.seconds} s without a change`, '', asked),
    ...Object.entries(idle.requests).filter(([, count]) => count > 0).map(([verb, count]) => told(`  of these ${verb}`, '', count)),
    told('rounds in that time', '', idle.rounds),
    told('cores busy in that time: controller', '', idle.cores.controller),
    told('cores busy in that time: PostgreSQL', '', idle.cores.database),
  ];
}
