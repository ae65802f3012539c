import { mkdtempSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StageAssignment } from '@caricature/contracts';
import type { Execution, JobObservation } from '@caricature/reconciler';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProcessDriver } from './process-driver.js';
import { JobFolder } from './process-record.js';

const OWNER = { kind: 'TrainingRun' as const, namespace: 'default', name: 'faces', uid: 'u1' };

/** What a worker does is its stage's configuration: a line of JavaScript. */
const WORKER = `
import { readFileSync, appendFileSync } from 'node:fs';
const { config } = JSON.parse(readFileSync(process.argv[process.argv.indexOf('--assignment') + 1], 'utf8'));
appendFileSync(process.env.STARTS, 'started\\n');
await new Function('return (async () => {' + config.run + '})()')();
`;

describe('the process driver', () => {
  let root: string;
  let driver: ProcessDriver;

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'driver-'));
    await writeFile(join(root, 'worker.mjs'), WORKER);
    driver = aDriver();
  });
  afterEach(async () => {
    await driver.stopAll();
    await rm(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  });

  const aDriver = () => new ProcessDriver({ root: join(root, 'jobs'), worker: [join(root, 'worker.mjs')], environment: { STARTS: join(root, 'starts') }, pollMs: 20, graceMs: 400 });

  const anAssignment = (run: string): StageAssignment => ({ job: 'faces-train-1', stage: 'train', attempt: 1, key: 'k', owner: OWNER, config: { run }, pace: {}, inputs: {} });
  const create = (run: string, execution: Execution = {}, by: ProcessDriver = driver) => by.create(anAssignment(run), execution);
  const until = async (state: JobObservation['state'], of: ProcessDriver = driver): Promise<JobObservation> => {
    for (;;) {
      const [job] = await of.list(OWNER);
      if (job?.state === state) return job;
      await new Promise((r) => setTimeout(r, 20));
    }
  };
  const starts = async () => (await readFile(join(root, 'starts'), 'utf8').catch(() => '')).split('\n').length - 1;
  const waitForStart = async () => {
    while ((await starts()) === 0) await new Promise((r) => setTimeout(r, 20));
  };

  it('runs a stage to its end and keeps its log', async () => {
    await create('console.log("hello")');
    expect(await until('Succeeded')).toMatchObject({ name: 'faces-train-1', stage: 'train', attempt: 1, terminal: false, disrupted: false });
    expect(await driver.log(OWNER, 'faces-train-1')).toBe('hello\n');
  });

  it('asked twice runs it once', async () => {
    await create('await new Promise((r) => setTimeout(r, 300))');
    await create('');
    await until('Succeeded');
    expect(await starts()).toBe(1);
  });

  it.each([
    ['a failure with the last lines of its log', 'console.log("why"); process.exit(1)', { terminal: false, disrupted: false, message: expect.stringMatching(/exit code 1.*why/s) }],
    ['that the resource asks for something impossible', 'process.exit(64)', { terminal: true, disrupted: false }],
    ['an interruption', 'process.exit(75)', { terminal: false, disrupted: true }],
    ['a kill from outside', 'process.kill(process.pid, "SIGKILL")', { terminal: false, disrupted: false, message: expect.stringContaining('killed by signal 9') }],
  ])('tells of %s', async (_title, run, expected) => {
    await create(run);
    expect(await until('Failed')).toMatchObject(expected);
  });

  it('is found again by the next controller, with how it ended meanwhile', async () => {
    await create('await new Promise((r) => setTimeout(r, 500)); process.exit(64)');
    const next = aDriver();
    expect((await next.list(OWNER))[0]?.state).toBe('Running');
    expect(await until('Failed', next)).toMatchObject({ terminal: true });
    expect(await starts()).toBe(1);
  });

  it('begun by a controller that died right then runs once, whoever starts it again', async () => {
    const run = 'await new Promise((r) => setTimeout(r, 300))';
    await new JobFolder(join(root, 'jobs'), OWNER.uid, 'faces-train-1').create(anAssignment(run), 'token');
    await Promise.all([create(run), create(run, {}, aDriver()), create(run, {}, aDriver())]);
    await until('Succeeded');
    expect(await starts()).toBe(1);
  });

  it('that a controller died over before it was started is no job, and is started when asked for again', async () => {
    await new JobFolder(join(root, 'jobs'), OWNER.uid, 'faces-train-1').create(anAssignment(''), 'token');
    expect(await driver.list(OWNER)).toEqual([]);
    await create('');
    await until('Succeeded');
    expect(await starts()).toBe(1);
  });

  it('ends a worker whose shell was killed before it counts as lost, which is a disruption', async () => {
    await create('await new Promise((r) => setTimeout(r, 60_000))');
    await waitForStart();
    const job = join(root, 'jobs/u1/faces-train-1');
    const { pid } = JSON.parse(await readFile(join(job, 'process.json'), 'utf8')) as { pid: number };
    const worker = Number(await readFile(join(job, 'worker.pid'), 'utf8'));
    process.kill(pid, 'SIGKILL');
    expect(await until('Failed')).toMatchObject({ disrupted: true, terminal: false, message: expect.stringContaining('disappeared') });
    expect(await readFile(`/proc/${worker}/cmdline`, 'utf8').catch(() => '')).toBe('');
  });

  it('says why it could not be started', async () => {
    const lacking = new ProcessDriver({ root: join(root, 'jobs'), worker: [join(root, 'worker.mjs')], environment: { PATH: join(root, 'nothing') }, pollMs: 20 });
    await create('', {}, lacking);
    expect(await until('Failed', lacking)).toMatchObject({ disrupted: false, message: expect.stringContaining('could not be started') });
  });

  it('lets a stopped stage write its checkpoint, and calls it a disruption', async () => {
    await create('process.on("SIGTERM", () => { console.log("saved"); process.exit(75); }); await new Promise((r) => setTimeout(r, 60_000))');
    await waitForStart();
    await new Promise((r) => setTimeout(r, 100));
    await driver.stop(OWNER, 'faces-train-1');
    expect(await until('Failed')).toMatchObject({ disrupted: true });
    expect(await driver.log(OWNER, 'faces-train-1')).toContain('saved');
  });

  it('keeps nothing in the log but what the worker said, when it is stopped before it can heed the call', async () => {
    await create('console.log("hello"); await new Promise((r) => setTimeout(r, 60_000))');
    await waitForStart();
    await new Promise((r) => setTimeout(r, 100));
    await driver.stop(OWNER, 'faces-train-1');
    expect(await until('Failed')).toMatchObject({ disrupted: true });
    expect(await driver.log(OWNER, 'faces-train-1')).toBe('hello\n');
  });

  it('kills a stage that does not heed the call', async () => {
    await create('process.on("SIGTERM", () => {}); await new Promise((r) => setTimeout(r, 60_000))');
    await waitForStart();
    await new Promise((r) => setTimeout(r, 100));
    await driver.stopAll();
    expect((await driver.list(OWNER))[0]).toMatchObject({ state: 'Failed', disrupted: true });
  });

  it('in a hurry kills at once', async () => {
    const patient = new ProcessDriver({ root: join(root, 'jobs'), worker: [join(root, 'worker.mjs')], environment: { STARTS: join(root, 'starts') }, pollMs: 20, graceMs: 3_600_000 });
    await create('process.on("SIGTERM", () => {}); await new Promise((r) => setTimeout(r, 60_000))', {}, patient);
    await waitForStart();
    const stopping = patient.stopAll();
    patient.hurry();
    await stopping;
    expect((await driver.list(OWNER))[0]).toMatchObject({ state: 'Failed', disrupted: true });
  });

  it('ends a stage that takes more memory than it may, and names the field', async () => {
    const watching = new AbortController();
    const watch = driver.watch(() => undefined, watching.signal);
    await create('globalThis.kept = Buffer.alloc(300 * 2 ** 20, 1); await new Promise((r) => setTimeout(r, 60_000))', { resources: { limits: { memory: '128Mi' } } });
    expect(await until('Failed')).toMatchObject({ disrupted: false, message: expect.stringContaining('spec.resources.limits.memory') });
    watching.abort();
    await watch;
  });

  it('knows its workers by their tokens', async () => {
    await create('await new Promise((r) => setTimeout(r, 200))');
    const token = await readFile(join(root, 'jobs/u1/faces-train-1/token'), 'utf8');
    expect(await driver.authenticate('faces-train-1', token)).toMatchObject({ owner: OWNER });
    expect(await driver.authenticate('faces-train-1', 'x'.repeat(token.length))).toBeUndefined();
    expect(await driver.authenticate('../u1/faces-train-1', token)).toBeUndefined();
  });
});
