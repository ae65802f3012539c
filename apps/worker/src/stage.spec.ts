import { expect, it } from 'vitest';
import type { StageAssignment } from '@caricature/contracts';
import { scratchFolder } from './stage.js';

const assignment = (uid: string, attempt: number) =>
  ({ stage: 'prepare-faces', key: 'a'.repeat(64), attempt, owner: { kind: 'TrainingRun', namespace: 'default', name: 'run', uid } }) as StageAssignment;

it('every attempt of a stage has the same scratch folder, and two resources that run the same stage at once have one each', () => {
  const first = scratchFolder('/scratch', assignment('one', 1));
  expect(scratchFolder('/scratch', assignment('one', 2))).toBe(first);
  expect(scratchFolder('/scratch', assignment('two', 1))).not.toBe(first);
});
