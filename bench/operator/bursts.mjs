// The bursts of all operators, taking turns on one API server.
import { measureBurst } from './burst.mjs';
import { controllerRuntime, kopf, ourController, workerPods } from './operators.mjs';
import { assertSameWork, firstWork } from './work.mjs';

const PEERS = { 'controller-runtime': controllerRuntime, kopf };

/**
 * @param {{runs: number, turns: number, warmUp: number, peers: string[]}} sizes
 * @returns {Promise<Record<string, object[]>>} what each operator's turns gave, ours first
 * @throws {Error} when an operator does not write what the controller writes
 */
export async function measureBursts(place, { peers, turns, ...sizes }, log) {
  const work = firstWork(workerPods(place));
  const operators = [await ourController(place)];
  for (const name of peers.filter((p) => p in PEERS)) operators.push(await PEERS[name](place, work, log));
  const results = Object.fromEntries(operators.map(({ name }) => [name, []]));
  let ours;
  for (let turn = 0; turn < turns; turn++) {
    // Every other turn goes the other way round: nobody is always the first.
    for (const operator of turn % 2 ? [...operators].reverse() : operators) {
      const { sample, ...result } = await measureBurst(place, operator, `burst-${turn}-${operator.name}`, sizes);
      results[operator.name].push(result);
      log(`${operator.name}, turn ${turn + 1}: ${describe(result)}`);
      ours ??= sample;
      assertSameWork(ours, sample, operator.name);
    }
  }
  return results;
}

function describe({ jobs, statuses, events, cpu }) {
  const told = { Jobs: jobs, statuses, events, 'CPU of the operator': cpu.operator, 'of PostgreSQL': cpu.database, 'of the API server': cpu.apiServer };
  return Object.entries(told).map(([what, seconds]) => `${what} ${seconds.toFixed(1)} s`).join(', ');
}
