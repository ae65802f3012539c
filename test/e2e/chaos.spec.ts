// By hand, for longer: CHAOS_KILLS=50 CHAOS_SEED=7 npm test -- test/e2e/chaos
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '@caricature/tensors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesBelow, Killer, processesOf, type Victim } from './chaos.js';
import { Machine, type FinishedResource } from './command.js';

const KILLS = Number(process.env['CHAOS_KILLS'] ?? 5);
const SEED = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 1e6));
const KILLS_A_ROUND = 8;
/** Whose death ends an attempt at a stage, so that another is made. */
const ENDS_AN_ATTEMPT: Victim[] = ['worker', 'keeper', 'everything', 'cli', 'avatar-source'];

interface Series {
  stage: string;
  name: string;
  points: { step: number; count: number; avg: number }[];
}

/** What a finished job has left that must not depend on who was killed. */
interface Outcome {
  digests: Record<string, string | undefined>;
  series: Record<string, [step: number, count: number, value: number][]>;
  samples: number[];
  images: unknown;
  combinations: unknown;
  versions: unknown;
  files: string[];
}

describe(`the main job under fire (CHAOS_SEED=${SEED})`, () => {
  let quiet: Machine;
  let wanted: Outcome;
  let resources: string;

  beforeAll(async () => {
    const tiny = await readFile(join(import.meta.dirname, 'tiny.yaml'), 'utf8');
    quiet = await Machine.create();
    resources = join(quiet.home, 'patient.yaml');
    await writeFile(resources, tiny.replaceAll('\nspec:\n', '\nspec:\n  backoffLimit: 100\n'));
    const run = quiet.start('-f', resources, '--result', quiet.resultFile);
    await run.until('Serving');
    wanted = await outcomeOf(quiet);
    run.child.kill('SIGTERM');
    expect((await run.ended).code).toBe(0);
  }, 600_000);
  afterAll(() => quiet.clear());

  const rounds = Array.from({ length: Math.ceil(KILLS / KILLS_A_ROUND) }, (_, round) => ({ round, kills: Math.min(KILLS_A_ROUND, KILLS - round * KILLS_A_ROUND) }));
  it.each(rounds)('ends with the same artifacts, series and model (round $round: $kills kills)', async ({ round, kills }) => {
    const machine = await Machine.create();
    const killer = new Killer(machine.home, new Random(SEED + round), (line) => console.log(line));
    const served = new AbortController();
    const killing = killer.run(kills, served.signal);
    try {
      const run = await keepStarting(machine, resources, killer);
      served.abort();
      await killing;
      // A last kill may come after the end: whoever restarts it would find everything there.
      const { child, ended } = await revive(machine, run, resources, killer);
      const outcome = await outcomeOf(machine);
      expect(outcome).toEqual(wanted);
      // A job that had ended before it was started again finds everything there: its stages are cached, without an attempt.
      const stages = (await machine.results()).flatMap((resource) => resource.status.stages);
      expect(stages.every(({ cached, attempts }) => cached || attempts >= 1)).toBe(true);
      const extra = stages.reduce((sum, { attempts }) => sum + Math.max(0, attempts - 1), 0);
      expect(extra).toBeLessThanOrEqual(2 * killer.killed.filter((victim) => ENDS_AN_ATTEMPT.includes(victim)).length);
      child.kill('SIGTERM');
      await ended;
      expect((await processesOf(machine.home)).map(({ command }) => command.join(' '))).toEqual([]);
    } finally {
      served.abort();
      for (const { pid } of await processesOf(machine.home)) process.kill(pid, 'SIGKILL');
      await sleep(200);
      await machine.clear();
    }
  }, 900_000);
});

type Run = ReturnType<Machine['start']>;

/** As a user would: starts it again whenever it has ended, until it serves. */
async function keepStarting(machine: Machine, resources: string, killer: Killer): Promise<Run> {
  for (;;) {
    const before = killer.killed.length;
    const run = machine.start('-f', resources, '--result', machine.resultFile);
    const serves = await run.until('Serving').then(() => true, () => false);
    if (serves) return run;
    const { code, output } = await run.ended;
    // Killed, told to end, or without a server that was killed while another needed it to start: anything else is a failure of the job itself.
    const startedInVain = killer.killed.length > before && output.includes('ended at its start');
    expect(code === null || code === 130 || startedInVain, output).toBe(true);
  }
}

async function revive(machine: Machine, run: Run, resources: string, killer: Killer): Promise<Run> {
  await sleep(1_000);
  return run.child.exitCode === null && run.child.signalCode === null ? run : keepStarting(machine, resources, killer);
}

async function outcomeOf(machine: Machine): Promise<Outcome> {
  const finished = await machine.results();
  const ask = async (path: string) => (await fetch(`${machine.controllerUrl}/api/v1${path}`)).json() as Promise<never>;
  const [crawl, run] = ['CrawlJob', 'TrainingRun'].map((kind) => finished.find((resource) => resource.kind === kind)!) as [FinishedResource, FinishedResource];
  const series = ((await ask(`/runs/${run.metadata.uid}/metrics?maxPoints=5000`)) as { series: Series[] }).series;
  const samples = ((await ask(`/runs/${run.metadata.uid}/samples`)) as { items: { step: number }[] }).items;
  const { versions } = (await ask('/models/caricature')) as { versions: { version: number }[] };
  const { progress, combinations } = crawl.status as unknown as { progress: unknown; combinations: string };
  return {
    digests: Object.fromEntries(finished.flatMap((resource) => resource.status.stages.map((stage) => [stage.name, stage.artifact?.digest]))),
    series: Object.fromEntries(
      series.filter(({ name }) => !isTiming(name)).map(({ stage, name, points }) => [`${stage} ${name}`, points.map(({ step, count, avg }) => [step, count, avg] as [number, number, number])]),
    ),
    samples: samples.map(({ step }) => step),
    images: progress,
    combinations,
    versions: versions?.length,
    files: (await filesBelow(join(machine.home, 'artifacts'))).filter((file) => !file.startsWith('logs/')).map(withoutCrawlKey),
  };
}

/** How fast it went is another matter. */
function isTiming(name: string): boolean {
  return name.startsWith('step/') || name === 'images/second';
}

/** A crawl's key holds its server's address, and every machine here has ports of its own; its digest is compared above. */
function withoutCrawlKey(file: string): string {
  return file.replace(/^crawl\/[0-9a-f]{64}\//, 'crawl/KEY/');
}
