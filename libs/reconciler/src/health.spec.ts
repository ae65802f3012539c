import { describe, expect, it } from 'vitest';
import { findIllness, followHealth, judgeHealth, type TrainingHealth } from './health.js';

/** The health after so many steps, each with the values that `values` gives it. */
function after(steps: number, values: (step: number) => Record<string, number>, before?: TrainingHealth, from = 0): TrainingHealth {
  let health = before;
  for (let step = from + 1; step <= from + steps; step++) health = followHealth(health, step, values(step));
  return health!;
}

const even = () => ({ g: 2, d: 1, 'accuracy/target': 0.6, 'accuracy/transferred': 0.5 });
const wrong = (health: TrainingHealth) => judgeHealth({ train: { attempt: 1, health } }).filter(({ status }) => status === 'True').map(({ type }) => type);

describe('the health of a training', () => {
  it('is unknown before anything is heard of it, then good', () => {
    expect(judgeHealth({}).map(({ type, status, reason }) => [type, status, reason])).toEqual([
      ['Diverged', 'Unknown', 'NotObserved'], ['DiscriminatorDominating', 'Unknown', 'NotObserved'], ['ModeCollapseSuspected', 'Unknown', 'NotObserved'],
    ]);
    const verdicts = judgeHealth({ train: { health: followHealth(after(300, even), 300, { 'samples/diversity': 0.9 }) } });
    expect(verdicts.map(({ status, reason }) => [status, reason])).toEqual(Array.from({ length: 3 }, () => ['False', 'Healthy']));
  });

  it.each([
    ['a discriminator that knows everything', () => ({ g: 9, 'accuracy/a': 1, 'accuracy/b': 0.99 }), ['DiscriminatorDominating']],
    ['one that knows all classes but one', () => ({ g: 2, 'accuracy/a': 1, 'accuracy/b': 0.6 }), []],
    ['a loss that swings', (step: number) => ({ g: step % 2 ? 0.5 : 8 }), []],
    ['a loss that grows beyond all that it was', (step: number) => ({ g: step < 200 ? 2 : 500 }), ['Diverged']],
    ['a single step out of range', (step: number) => ({ g: step === 250 ? 500 : 2 }), []],
  ])('with %s', (_title, values, expected) => {
    expect(wrong(after(300, values))).toEqual(expected);
  });

  it('judges nothing by its first steps', () => {
    expect(wrong(after(99, () => ({ g: 1, 'accuracy/a': 1 })))).toEqual([]);
  });

  it.each([
    ['pictures that became all alike', [0.8, 0.7, 0.1, 0.1], true],
    ['one sample of pictures that are alike', [0.8, 0.7, 0.1, 0.6], false],
    ['pictures that are not diverse yet', [0.05, 0.1, 0.15, 0.2], false],
    ['pictures that never become diverse', Array.from({ length: 12 }, () => 0.1), true],
    ['pictures that are somewhat alike', [0.4, 0.3, 0.3, 0.3], false],
  ])('with %s', (_title, diversities, suspected) => {
    let health = after(100, even);
    diversities.forEach((diversity, i) => (health = followHealth(after(100, even, health, 100 * (i + 1)), 100 * (i + 2), { 'samples/diversity': diversity })));
    expect(wrong(health)).toEqual(suspected ? ['ModeCollapseSuspected'] : []);
  });

  it('is bad until it is clearly better, and remembers since when', () => {
    const dominating = after(300, () => ({ 'accuracy/a': 1 }));
    expect(dominating.since).toEqual({ DiscriminatorDominating: 100 });
    const hardlyBetter = after(300, () => ({ 'accuracy/a': 0.96 }), dominating, 300);
    expect(wrong(hardlyBetter)).toEqual(['DiscriminatorDominating']);
    expect(wrong(after(300, () => ({ 'accuracy/a': 0.8 }), hardlyBetter, 600))).toEqual([]);
  });

  it('is not changed by steps that are told again after a resume', () => {
    const once = after(300, even);
    expect(after(50, () => ({ g: 1e5, 'accuracy/target': 1 }), once, 250)).toEqual(once);
  });

  it('stays a few numbers, however long the training', () => {
    expect(JSON.stringify(after(5_000, even)).length).toBeLessThan(400);
  });

  it('of a loss that is no number is told by the worker, of the attempt that it ended', () => {
    const failure = { type: 'failed' as const, code: 'TRAINING_DIVERGED', message: 'g became NaN at step 7', retryable: false };
    const reports = { train: { attempt: 2, failure } };
    expect(judgeHealth(reports)[0]).toMatchObject({ type: 'Diverged', status: 'True', reason: 'LossNotFinite', message: 'g became NaN at step 7' });
    expect(findIllness('train', 2, reports)).toMatchObject({ type: 'Diverged' });
    expect(findIllness('train', 3, reports)).toBeUndefined();
  });
});
