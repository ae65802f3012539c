import { mkdir, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createArtifactStore, publishArtifact } from '@caricature/artifacts';
import { aController, aTrainingRun, type TestController } from '../../apps/controller/src/testing/a-controller.js';

const CHROMIUM = '/usr/bin/chromium';
const STEPS = 400;
const MARKUP = '<img src=x onerror="document.title=1">';

let controller: TestController;
let browser: Browser;
let page: Page;
const refused: string[] = [];

const aPicture = (width: number, red = 128) => sharp({ create: { width, height: 256, channels: 3, background: { r: red, g: 120, b: 255 - red } } }).png();

/** A run in the middle of its training, as the reconcile loop and its workers would have left it. */
async function aRunInProgress(name: string, sampledAt = [100, 200, 300, 400]): Promise<string> {
  const { database, home } = controller;
  const ref = { kind: 'TrainingRun', namespace: 'default', name };
  const { spec } = aTrainingRun(name, { suspend: true });
  const at = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
  const store = createArtifactStore(`file://${home}/artifacts`);
  await mkdir(join(home, 'evaluation'), { recursive: true });
  await writeFile(join(home, 'evaluation', 'report.html'), '<h1>Evaluation</h1>');
  await aPicture(640).toFile(join(home, 'evaluation', 'grid.png'));
  const report = await publishArtifact(store, { stage: 'evaluate', key: 'e1', dir: join(home, 'evaluation') });
  const uri = `${store.uri}/evaluate/e1`;
  await database.artifacts.record({ digest: report.digest, stage: 'evaluate', key: 'e1', uri, bytes: 19, metadata: { traits: { glasses: { agreement: 0.8, chance: 0.34 }, hairColor: { agreement: 0.93, chance: 0.2 } } } });
  const stage = (stageName: string, state: string, more = {}) => ({ name: stageName, state, attempts: state === 'Pending' ? 0 : 1, cached: false, ...more });
  const { uid } = await database.resources.create({
    ...ref,
    apiVersion: 'caricature.dev/v1alpha1',
    spec: { model: { architecture: 'DTN', preset: 'faces-64' }, ...spec } as never,
    status: {
      observedGeneration: 1,
      phase: 'Running',
      startTime: at(9),
      conditions: [],
      stages: [
        stage('prepare-faces', 'Succeeded', { cached: true, startTime: at(9), completionTime: at(8.5) }),
        stage('prepare-avatars', 'Succeeded', { startTime: at(8.500), completionTime: at(8) }),
        stage('pretrain', 'Succeeded', { startTime: at(8), completionTime: at(5), metrics: { accuracy: 0.973 } }),
        stage('train', 'Running', { attempts: 2, startTime: at(5), progress: { step: STEPS, totalSteps: 1000, etaSeconds: 312 }, message: MARKUP }),
        stage('evaluate', 'Pending', {
          artifact: { stage: 'evaluate', key: 'e1', digest: report.digest, uri },
          metrics: { traitAgreement: 0.78, traitAgreementChance: 0.3, identityTop1: 0.41, identityTop1Chance: 0.02, frechetDistance: 25.8, diversity: 0.81, tidError: 0.0123, 'trait/hairColor': 0.93, 'trait/untold': 0.5 },
        }),
        stage('publish', 'Pending'),
      ],
    } as never,
  });
  const wave = (step: number, from: number, to: number) => to + (from - to) * Math.exp(-step / 90) + Math.sin(step * 1.7) * 0.03 * from;
  const points = Array.from({ length: STEPS }, (_, i) => i + 1).flatMap((step) =>
    Object.entries({ g: wave(step, 8, 3.2), d: wave(step, 3.3, 1.9), const: wave(step, 0.9, 0.2), tid: wave(step, 0.5, 0.1), tv: wave(step, 0.2, 0.05), 'accuracy/transferred': 1 - wave(step, 0.6, 0.25), 'accuracy/target': 1 - wave(step, 0.5, 0.2) })
      .map(([metric, value]) => ({ name: metric, step, value, at: new Date() })));
  await database.metrics.insertMany(uid, 'train', points);
  for (const step of sampledAt) {
    await store.put(`samples/e1/${step}.png`, await aPicture(512, step / 2).toBuffer());
    await database.samples.record({ runUid: uid, step, uri: `${store.uri}/samples/e1/${step}.png`, digest: 'd' });
  }
  await database.events.record({ resourceUid: uid, type: 'Normal', reason: 'StageStarted', message: 'train, attempt 2' });
  await database.events.record({ resourceUid: uid, type: 'Warning', reason: 'StageRetried', message: `train failed: ${MARKUP}` });
  return uid;
}

beforeAll(async () => {
  controller = await aController({}, { reconciles: false });
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update'] });
});
afterAll(async () => {
  await browser?.close();
  await controller?.close();
});

async function open(path: string, colorScheme: 'light' | 'dark' = 'light'): Promise<void> {
  await page?.context().close();
  page = await (await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme })).newPage();
  page.on('console', (message) => message.type() === 'error' && refused.push(message.text()));
  page.on('pageerror', (error) => refused.push(String(error)));
  await page.goto(`${controller.url}/${path}`);
}

/** Keeps a picture of the page for people to look at, where a folder for it was made. */
async function picture(name: string): Promise<void> {
  const folder = join(tmpdir(), 'caricature-screenshots');
  if (existsSync(folder)) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

describe.skipIf(!existsSync(CHROMIUM))('the web page', () => {
  it('says what to do while there is nothing', async () => {
    await open('');
    await page.getByText('Nothing runs here yet').waitFor();
    await picture('empty');
  });

  it('lists a run with its phase, stage and time left', async () => {
    await aRunInProgress('faces');
    await open('');
    const row = page.locator('a.row', { hasText: 'faces' });
    await row.waitFor();
    expect(await row.innerText()).toMatch(/Running[\s\S]*train · 400 of 1,000[\s\S]*5 min 12 s left/);
    await picture('list');
    await row.click();
    await page.locator('h1', { hasText: 'faces' }).waitFor();
  });

  it.each(['light', 'dark'] as const)('draws curves, samples, scores and events of a run (%s)', async (colorScheme) => {
    await open('#/TrainingRun/default/faces', colorScheme);
    await page.locator('.chart canvas').first().waitFor();
    // Something other than the axes is drawn: a line has a colour of its own.
    const coloured = () => page.locator('.chart canvas').first().evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let i = 0; i < data.length; i += 4) if (data[i + 3]! > 128 && Math.max(data[i]!, data[i + 1]!, data[i + 2]!) - Math.min(data[i]!, data[i + 1]!, data[i + 2]!) > 80) count++;
      return count;
    });
    await vi.waitFor(async () => expect(await coloured()).toBeGreaterThan(200), { timeout: 10_000 });
    const image = page.locator('.sample img');
    await vi.waitFor(async () => expect(await image.evaluate((node: HTMLImageElement) => node.naturalWidth)).toBe(512), { timeout: 10_000 });
    expect(await page.locator('.score', { hasText: 'Trait agreement' }).innerText()).toMatch(/78\.0 %[\s\S]*chance 30\.0 %/);
    expect(await page.locator('.traits').innerText()).toMatch(/Hair color\s+93\.0 %/);
    // Told once: as a bar where its chance is known, else as a number.
    expect(await page.locator('.score', { hasText: 'Trait' }).allInnerTexts()).toEqual([expect.stringContaining('Trait agreement'), expect.stringContaining('Trait untold')]);
    expect(await page.getByRole('link', { name: 'report.html' }).getAttribute('href')).toMatch(/^\/api\/v1\/artifacts\/[0-9a-f]{64}\/files\/report\.html$/);
    await picture(`run-${colorScheme}`);
  });

  it('looks back at an earlier sample', async () => {
    const slider = page.getByLabel('Step of the sample');
    await slider.fill('0');
    await page.getByText('step 100', { exact: true }).waitFor();
    expect(await page.locator('.sample img').getAttribute('src')).toMatch(/samples\/100\.png$/);
  });

  it('shows the pictures that were scored of a run that gave no samples: its training came from the cache', async () => {
    await aRunInProgress('cached', []);
    await open('#/TrainingRun/default/cached');
    await page.getByText('as scored', { exact: true }).waitFor();
    const image = page.locator('.sample img');
    await vi.waitFor(async () => expect(await image.evaluate((node: HTMLImageElement) => node.naturalWidth)).toBe(640), { timeout: 10_000 });
    expect(await page.getByLabel('Step of the sample').isVisible()).toBe(false);
    await open('#/TrainingRun/default/faces');
    await page.locator('.stages .message').waitFor();
  });

  it('shows what workers say as text, and broke no rule of its own policy', async () => {
    expect(await page.locator('.stages .message').innerText()).toBe(MARKUP);
    expect(await page.locator('td.message img, .message img').count()).toBe(0);
    expect(refused).toEqual([]);
  });
});
