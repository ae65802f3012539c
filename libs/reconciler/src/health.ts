import { HEALTH_CONDITIONS, type HealthCondition, type Reason, type StageName } from '@caricature/contracts';

/** What is remembered of a training, to judge its health by: plain JSON, a few numbers whatever its length. */
export interface TrainingHealth {
  /** The last step that was told of. */
  step: number;
  /** Steps that the averages are of. */
  steps: number;
  /** The generator's (or the only) loss, averaged over the last steps, and the lowest that this was. */
  loss?: number;
  lowestLoss?: number;
  /** The share that D gets right of the class it knows least, averaged over the last steps. */
  accuracy?: number;
  samples: number;
  /** How much the pictures of the last sample differ among themselves, for what real ones do; the one before; and the highest so far. */
  diversity?: number;
  diversityBefore?: number;
  highestDiversity?: number;
  /** The step since which something has been wrong. */
  since: Partial<Record<HealthCondition, number>>;
}

/** What the stages of a run have told, as far as their health goes by it. */
export type TrainingReports = Partial<Record<StageName, { attempt?: number; health?: TrainingHealth; failure?: { code: string; message: string } }>>;

export interface Verdict {
  type: HealthCondition;
  status: 'True' | 'False' | 'Unknown';
  reason: Reason;
  message: string;
}

/** An average forgets after about so many steps; nothing is judged before. */
const WINDOW = 100;
/** A GAN's losses swing, and the generator's grows as D learns: only what leaves that far behind counts. */
const LOSS_GROWTH = 20;
const LOWEST_LOSS = 0.1;
/** D right nearly always gives the generator nothing to learn from; it is right for a third to a half when the two are even. */
const DOMINATING = 0.98;
const NO_LONGER_DOMINATING = 0.95;
/** Pictures that differ by less than a quarter of what real ones do are much the same picture. */
const ALIKE = 0.25;
const NO_LONGER_ALIKE = 0.35;
const DIVERSE = 0.5;
/** A generator that never was diverse is given so many samples to become so. */
const FIRST_SAMPLES = 10;

/** What workers call the diversity of a sample. */
export const DIVERSITY = 'samples/diversity';
export const DIVERGED_CODE = 'TRAINING_DIVERGED';
const TRAINING: StageName[] = ['pretrain', 'train'];

/** Takes in what was told of one step. Steps told again, after a resume, change nothing. */
export function followHealth(before: TrainingHealth | undefined, step: number, values: Record<string, number>): TrainingHealth {
  const health: TrainingHealth = before ? { ...before, since: { ...before.since } } : { step: 0, steps: 0, samples: 0, since: {} };
  const { [DIVERSITY]: diversity } = values;
  // A sample is told of after the step that it shows.
  if (diversity !== undefined && step >= health.step) addSample(health, diversity);
  if (step > health.step) addStep(health, step, values);
  for (const type of HEALTH_CONDITIONS) {
    const wrong = JUDGES[type](health, health.since[type] !== undefined);
    if (!wrong) delete health.since[type];
    else health.since[type] ??= step;
  }
  return health;
}

function addSample(health: TrainingHealth, diversity: number): void {
  if (health.diversity !== undefined) health.diversityBefore = health.diversity;
  Object.assign(health, { diversity, samples: health.samples + 1, highestDiversity: Math.max(diversity, health.highestDiversity ?? 0) });
}

function addStep(health: TrainingHealth, step: number, values: Record<string, number>): void {
  const loss = values['g'] ?? values['loss'];
  const accuracies = Object.entries(values).flatMap(([name, value]) => (name.startsWith('accuracy/') ? [value] : []));
  if (loss === undefined && accuracies.length === 0) return;
  Object.assign(health, { step, steps: health.steps + 1 });
  const share = 1 / Math.min(WINDOW, health.steps);
  const averaged = (average: number | undefined, value: number) => (average ?? value) + (value - (average ?? value)) * share;
  if (loss !== undefined) {
    health.loss = averaged(health.loss, Math.abs(loss));
    if (health.steps >= WINDOW) health.lowestLoss = Math.min(health.loss, health.lowestLoss ?? Infinity);
  }
  if (accuracies.length > 0) health.accuracy = averaged(health.accuracy, Math.min(...accuracies));
}

/** Whether something is wrong; what is wrong already stays so until it is clearly better. */
const JUDGES: Record<HealthCondition, (health: TrainingHealth, isWrong: boolean) => boolean> = {
  Diverged: ({ loss = 0, lowestLoss = Infinity }) => loss > LOSS_GROWTH * Math.max(lowestLoss, LOWEST_LOSS),
  DiscriminatorDominating: ({ accuracy = 0, steps }, isWrong) => steps >= WINDOW && accuracy >= (isWrong ? NO_LONGER_DOMINATING : DOMINATING),
  ModeCollapseSuspected: ({ diversity, diversityBefore, highestDiversity = 0, samples }, isWrong) => {
    if (diversity === undefined || diversityBefore === undefined) return false;
    if (isWrong) return diversity < NO_LONGER_ALIKE;
    return Math.max(diversity, diversityBefore) < ALIKE && (highestDiversity >= DIVERSE || samples >= FIRST_SAMPLES);
  },
};

const WORDS: Record<HealthCondition, { reason: Reason; message: (health: TrainingHealth) => string; healthy: string }> = {
  Diverged: {
    reason: 'LossGrows',
    message: ({ loss = 0, lowestLoss = 0 }) => `the loss averages ${show(loss)} and was as low as ${show(lowestLoss)}: lower spec.train.learningRate or raise spec.train.batchSize`,
    healthy: 'the losses stay in their range',
  },
  DiscriminatorDominating: {
    reason: 'DiscriminatorAlwaysRight',
    message: ({ accuracy = 0 }) => `the discriminator gets ${show(accuracy * 100)} % of every class right: the generator learns nothing from it; lower spec.train.learningRate or raise the other weights`,
    healthy: 'the discriminator errs often enough',
  },
  ModeCollapseSuspected: {
    reason: 'SamplesAlike',
    message: ({ diversity = 0 }) => `the pictures of a sample differ by ${show(diversity * 100)} % of what real ones do: the generator may draw the same whatever it sees; raise spec.train.weights.const or tid`,
    healthy: 'the pictures of a sample differ from each other',
  },
};

/** How the training of a run stands, for each of HEALTH_CONDITIONS. */
export function judgeHealth(reports: TrainingReports): Verdict[] {
  return HEALTH_CONDITIONS.map((type) => {
    const verdicts = TRAINING.flatMap((stage) => verdictOf(type, stage, reports) ?? []);
    return verdicts.find(({ status }) => status === 'True') ?? verdicts.at(-1) ?? { type, status: 'Unknown', reason: 'NotObserved', message: 'no training has been heard of yet' };
  });
}

/** What is wrong with the training of this stage's attempt; undefined when nothing is. `since` is the step at which it became so. */
export function findIllness(stage: StageName, attempt: number, reports: TrainingReports): (Verdict & { since: number }) | undefined {
  const report = reports[stage];
  if (!TRAINING.includes(stage) || report?.attempt !== attempt) return undefined;
  for (const type of HEALTH_CONDITIONS) {
    const verdict = verdictOf(type, stage, reports);
    if (verdict?.status === 'True') return { ...verdict, since: report.health?.since[type] ?? report.health?.step ?? 0 };
  }
  return undefined;
}

function verdictOf(type: HealthCondition, stage: StageName, reports: TrainingReports): Verdict | undefined {
  const { health, failure } = reports[stage] ?? {};
  if (type === 'Diverged' && failure?.code === DIVERGED_CODE) return { type, status: 'True', reason: 'LossNotFinite', message: failure.message };
  if (!health || isUnseen(type, health)) return undefined;
  const { reason, message, healthy } = WORDS[type];
  return health.since[type] !== undefined ? { type, status: 'True', reason, message: message(health) } : { type, status: 'False', reason: 'Healthy', message: healthy };
}

function isUnseen(type: HealthCondition, { loss, accuracy, diversity }: TrainingHealth): boolean {
  return { Diverged: loss, DiscriminatorDominating: accuracy, ModeCollapseSuspected: diversity }[type] === undefined;
}

function show(value: number): string {
  return String(Number(value.toPrecision(3)));
}
