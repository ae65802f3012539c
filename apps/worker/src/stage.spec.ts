import { expect, it } from 'vitest';
import type { StageAssignment } from '@caricature/contracts';
import { scratchFolder } from './stage.js';

const assignment = (uid: string, attempt: number) =>
  ({ stage: 'prepare-faces', key: 'a'.repeat(64), attempt, owner: { kind: 'TrainingRun', namespace: 'default', name: 'run', uid } }) as StageAssignment;

const whole = { index: 0, of: 1 };

it('every attempt of a stage has the same scratch folder, and two resources that run the same stage at once have one each', () => {
  const first = scratchFolder('/scratch', assignment('one', 1), whole);
  expect(scratchFolder('/scratch', assignment('one', 2), whole)).toBe(first);
  expect(scratchFolder('/scratch', assignment('two', 1), whole)).not.toBe(first);
});

it('every part of a stage has a scratch folder of its own', () => {
  const parts = [whole, { index: 0, of: 2 }, { index: 1, of: 2 }, { index: 1, of: 3 }];
  expect(new Set(parts.map((part) => scratchFolder('/scratch', assignment('one', 1), part))).size).toBe(parts.length);
});
