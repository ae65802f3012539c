import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Machine, type FinishedResource } from './command.js';

const TINY = join(import.meta.dirname, 'tiny.yaml');
const STAGES = ['prepare-faces', 'prepare-avatars', 'pretrain', 'train', 'evaluate', 'publish'];

const runOf = (resources: FinishedResource[]) => resources.find((r) => r.kind === 'TrainingRun')!;
const digestOf = (run: FinishedResource, stage: string) => run.status.stages.find((s) => s.name === stage)?.artifact?.digest;

describe('the main job on one machine', () => {
  let machine: Machine;
  let first: FinishedResource[];

  beforeAll(async () => {
    machine = await Machine.create();
    const { code, output } = await machine.start('--once', '-f', TINY, '--result', machine.resultFile).ended;
    expect(code, output).toBe(0);
    first = await machine.results();
  }, 300_000);
  afterAll(() => machine.clear());

  it('goes through every stage, from crawl to published model', () => {
    expect(first.map((r) => r.status.phase)).toEqual(['Succeeded', 'Succeeded']);
    expect(runOf(first).status.stages.map((s) => s.name)).toEqual(STAGES);
    expect(runOf(first).status.stages.every((s) => s.state === 'Succeeded' && !s.cached && s.attempts === 1)).toBe(true);
    expect(runOf(first).status.model).toEqual({ name: 'caricature', version: 1 });
    expect(first[0]?.status).toMatchObject({ combinations: expect.stringMatching(/^\d{9,}$/), progress: { images: 96, failed: 0 } });
  });

  it('scores what it made and draws it', async () => {
    const evaluated = runOf(first).status.stages.find((s) => s.name === 'evaluate');
    expect(Object.keys(evaluated?.metrics ?? {})).toEqual(expect.arrayContaining(['traitAgreement', 'traitAgreementChance', 'labelPreservation', 'frechetDistance', 'diversity', 'positionError', 'positionErrorPhoto', 'positionErrorAvatar', 'positionReaderError', 'identityTop1', 'identityTop5', 'tidError']));
    const folder = fileURLToPath(evaluated!.artifact!.uri);
    expect((await sharp(join(folder, 'grid.png')).metadata()).width).toBeGreaterThan(300);
    expect(await readFile(join(folder, 'report.html'), 'utf8')).toContain('traitAgreement');
    const sample = runOf(first).status.samples?.at(-1);
    expect(sample?.step).toBe(40);
    expect((await sharp(fileURLToPath(sample!.uri)).metadata()).format).toBe('png');
  });

  it('takes everything from the cache the second time, then answers a photo with a caricature', async () => {
    const again = machine.start('-f', TINY, '--result', machine.resultFile);
    await again.until('Serving');
    const run = runOf(await machine.results());
    expect(run.status.stages.map((s) => s.cached)).toEqual(STAGES.map(() => true));
    expect(STAGES.map((s) => digestOf(run, s))).toEqual(STAGES.map((s) => digestOf(runOf(first), s)));

    const photo = await readFile(join(fileURLToPath(run.status.stages.find((s) => s.name === 'evaluate')!.artifact!.uri), 'photo.jpg'));
    const response = await askUntilReady(`${machine.inferenceUrl}/v1/caricatures?crop=none`, photo);
    expect(response.headers.get('content-type')).toBe('image/png');
    expect(await sharp(Buffer.from(await response.arrayBuffer())).metadata()).toMatchObject({ format: 'png', width: 32, height: 32 });

    const metrics = await (await fetch(`${machine.controllerUrl}/metrics`)).text();
    expect(metrics).toContain('caricature_reconcile_total');
    again.child.kill('SIGTERM');
    expect((await again.ended).code).toBe(0);
  }, 120_000);

  it('killed while it trains it goes on, and ends with the very same weights', async () => {
    const other = await Machine.create();
    try {
      const killed = other.start('--once', '-f', TINY);
      await killed.until('tiny train ');
      await sleep(300);
      killed.child.kill('SIGKILL');
      await killed.ended;
      await sleep(1_000);
      const { code, output } = await other.start('--once', '-f', TINY, '--result', other.resultFile).ended;
      expect(code, output).toBe(0);
      const run = runOf(await other.results());
      expect(digestOf(run, 'pretrain')).toBe(digestOf(runOf(first), 'pretrain'));
      expect(digestOf(run, 'train')).toBe(digestOf(runOf(first), 'train'));
      expect(run.status.model?.version).toBe(1);
    } finally {
      await other.clear();
    }
  }, 300_000);

  it('told to stop while it trains it leaves nothing running, and goes on later', async () => {
    const other = await Machine.create();
    try {
      const stopped = other.start('--once', '-f', TINY);
      await stopped.until('tiny train ');
      stopped.child.kill('SIGINT');
      expect((await stopped.ended).code).toBe(130);
      expect(await processesIn(other.home)).toEqual([]);
      const { code, output } = await other.start('--once', '-f', TINY, '--result', other.resultFile).ended;
      expect(code, output).toBe(0);
      expect(digestOf(runOf(await other.results()), 'train')).toBe(digestOf(runOf(first), 'train'));
    } finally {
      await other.clear();
    }
  }, 300_000);

  it('with a wrong resource ends at once and names the field', async () => {
    const wrong = join(machine.home, 'wrong.yaml');
    await writeFile(wrong, (await readFile(TINY, 'utf8')).replace('seed: 3', 'sead: 3'));
    const { code, output } = await machine.start('--once', '-f', wrong).ended;
    expect(code).toBe(1);
    expect(output).toContain('spec.sampling.sead: unknown field');
  });

  it('with a dead avatar source fails with its address', async () => {
    const other = await Machine.create();
    try {
      const dead = join(other.home, 'dead.yaml');
      const text = (await readFile(TINY, 'utf8')).replace('http://127.0.0.1:4010', 'http://127.0.0.1:9').replace('sampling:', 'backoffLimit: 0\n  sampling:').replace('concurrency: 4', 'concurrency: 4, maxRetries: 0');
      await writeFile(dead, text);
      const { code, output } = await other.start('--once', '-f', dead).ended;
      expect(code).toBe(1);
      expect(output).toMatch(/http:\/\/127\.0\.0\.1:9/);
    } finally {
      await other.clear();
    }
  }, 120_000);
});

/** The command lines of running processes that name a folder. */
async function processesIn(folder: string): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(folder)).map((line) => line.replaceAll('\0', ' '));
}

/** The inference API looks for a new version now and then: it may take a moment to have it. */
async function askUntilReady(url: string, photo: Buffer): Promise<Response> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'image/jpeg' }, body: new Uint8Array(photo) });
    if (response.ok || Date.now() > deadline) {
      expect(response.status, response.ok ? '' : await response.text()).toBe(200);
      return response;
    }
    await sleep(300);
  }
}
