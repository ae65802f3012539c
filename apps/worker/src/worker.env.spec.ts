import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { readWorkerEnvironment } from './worker.env.js';

beforeEach(() => {
  for (const name of ['CONTROLLER_URL', 'ARTIFACTS_URI', 'TOKEN_FILE', 'SPOOL']) vi.stubEnv(`CARICATURE_${name}`, 'there');
});
afterEach(() => vi.unstubAllEnvs());

it('a worker alone is the first part of one, whatever Job it runs in', () => {
  expect(readWorkerEnvironment().part).toEqual({ index: 0, of: 1 });
  vi.stubEnv('JOB_COMPLETION_INDEX', '3');
  expect(readWorkerEnvironment().part).toEqual({ index: 0, of: 1 });
});

it('a worker of an Indexed Job is the part that Kubernetes numbers', () => {
  vi.stubEnv('CARICATURE_PARTS', '3');
  expect(readWorkerEnvironment).toThrow('JOB_COMPLETION_INDEX is not set');
  vi.stubEnv('JOB_COMPLETION_INDEX', '2');
  expect(readWorkerEnvironment().part).toEqual({ index: 2, of: 3 });
});

it.each([['3', '3'], ['-1', '3'], ['x', '3'], ['0', 'x'], ['0', '1.5']])('part %s of %s is refused', (index, of) => {
  vi.stubEnv('CARICATURE_PARTS', of);
  vi.stubEnv('JOB_COMPLETION_INDEX', index);
  expect(readWorkerEnvironment).toThrow('is none of the parts');
});
