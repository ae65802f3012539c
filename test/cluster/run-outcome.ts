import type { Manifest } from '../charts/chart.js';
import type { Installation } from './installation.js';
import type { Stage } from './tiny-resources.js';

export interface Attempt {
  stage: string;
  attempt: number;
  key: string;
  startedAt: string | null;
  completedAt: string | null;
  exitCode: number | null;
}

/** What a finished run has left. */
export interface RunOutcome {
  phase: string;
  stages: Stage[];
  /** Of the stages that train: every point, by series. How fast it went is left out. */
  series: Record<string, [step: number, count: number, value: number][]>;
  samples: number[];
  attempts: Attempt[];
}

type Answers = [{ series: { stage: string; name: string; points: { step: number; count: number; avg: number }[] }[] }, { items: { step: number }[] }, { items: Attempt[] }];

export async function outcomeOf(chart: Installation, name: string): Promise<RunOutcome> {
  const run: Manifest = await chart.get('trainingrun', name);
  const at = `/runs/${run.metadata['uid' as 'name']}`;
  const [metrics, samples, attempts] = (await chart.askApi<unknown>([`${at}/metrics?maxPoints=5000`, `${at}/samples`, `${at}/attempts`])) as Answers;
  const series = metrics.series.filter((each) => each.stage === 'train' && !each.name.startsWith('step/') && each.name !== 'images/second');
  return {
    phase: run['status'].phase,
    stages: run['status'].stages,
    series: Object.fromEntries(series.map((each) => [each.name, each.points.map(({ step, count, avg }) => [step, count, avg] as [number, number, number])])),
    samples: samples.items.map(({ step }) => step),
    attempts: attempts.items,
  };
}

/** What must not depend on who was interrupted. */
export function resultOf({ phase, stages, series, samples }: RunOutcome) {
  return { phase, digests: stages.filter((stage) => ['train', 'evaluate'].includes(stage.name)).map((stage) => [stage.name, stage.artifact?.digest]), series, samples };
}

/** What was done more than once, in words; nothing when each stage was finished by its last attempt, and none was begun beside or after another's success. */
export function repetitionsIn({ stages, attempts }: RunOutcome): string[] {
  return stages.flatMap((stage) => {
    const made = attempts.filter((attempt) => attempt.stage === stage.name).sort((a, b) => a.attempt - b.attempt);
    const wrong = made.flatMap((attempt, i) => {
      const next = made[i + 1];
      if (!next) return [];
      const name = `${stage.name}#${attempt.attempt}`;
      const succeeded = attempt.exitCode === 0 ? [`${name} succeeded and was followed by another`] : [];
      const overlaps = attempt.completedAt && next.startedAt && next.startedAt < attempt.completedAt ? [`${name} ended at ${attempt.completedAt}, after the next had begun at ${next.startedAt}`] : [];
      return [...succeeded, ...overlaps];
    });
    const keys = new Set(made.map(({ key }) => key));
    return [...wrong, ...(keys.size > 1 ? [`${stage.name} was to make ${keys.size} artifacts`] : []), ...(stage.cached && made.length > 0 ? [`${stage.name} was taken from elsewhere and run too`] : [])];
  });
}
