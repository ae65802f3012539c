import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { plan, type Observed, type Resource } from '@caricature/reconciler';
import type { TrainingRunStatus } from '@caricature/contracts';
import { BAD_RESOURCES, CHANGES } from '../../../contracts/src/testing/bad-resources.js';
import { startControlPlane } from '../../../../test/cluster/control-plane.mjs';
import { resourcePath } from '../client/api-path.js';
import { isKubernetesError } from '../client/kubernetes.error.js';
import { aCrawlJob, aTrainingRun, TestCluster } from '../testing/test-cluster.js';
import { KubernetesResourceStore } from './kubernetes-resource.store.js';

const RUNNING: Partial<Observed> = {
  jobs: [
    { name: 'faces-prepare-faces-1', stage: 'prepare-faces', attempt: 1, state: 'Running', terminal: false, disrupted: false },
    { name: 'faces-prepare-avatars-1', stage: 'prepare-avatars', attempt: 1, state: 'Running', terminal: false, disrupted: false },
  ],
  inputs: { crawl: { state: 'Ready', artifact: { stage: 'crawl', key: 'k', digest: 'd', uri: 's3://a' } } },
};

describe('the definitions in an API server', () => {
  let cluster: TestCluster;
  let namespace: string;
  let folder: string;

  beforeAll(async () => {
    cluster = new TestCluster(await startControlPlane());
    await cluster.installDefinitions();
    folder = await mkdtemp(join(tmpdir(), 'caricature-definitions-'));
  }, 180_000);
  afterAll(async () => {
    await cluster?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => void (namespace = await cluster.namespace()));

  const kubectl = (...args: string[]) => cluster.kubectl('-n', namespace, ...args);

  /** The fields that the server names in its refusal, and all that it says; none when it lets the resource in. */
  async function refusalOf(write: () => Promise<object>): Promise<{ fields: string[]; text: string }> {
    try {
      await write();
      return { fields: [], text: '' };
    } catch (error) {
      if (!isKubernetesError(error, 'Invalid', 'BadRequest')) throw error;
      const unknown = [...error.message.matchAll(/unknown field "([^"]+)"/g)].map(([, field]) => field!);
      const causes = (error.details.causes ?? []).map(({ field = '' }) => field).filter((field) => field !== '<nil>');
      return { fields: [...new Set(unknown.length > 0 ? unknown : causes)].sort(), text: error.message };
    }
  }

  it.each(BAD_RESOURCES)('refuse a resource with $title and name the field that `caricature apply` names', async ({ document, field, message }) => {
    const path = `${resourcePath(document.kind, namespace)}?fieldValidation=Strict`;
    const { fields, text } = await refusalOf(() => cluster.client.ask(path, document));
    // An entry of a map is named in brackets here.
    expect(fields.map((name) => name.replace(/\[([a-z]\w*)\]/g, '.$1'))).toEqual([field]);
    expect(text).toContain(message ?? field);
  });

  it.each(CHANGES)('let a resource be $title, or name what may not change', async ({ before, after, fields }) => {
    const path = resourcePath(before.kind, namespace);
    const { metadata } = await cluster.client.create<{ metadata: { resourceVersion: string } }>(path, before);
    const changed = { ...after, metadata: { ...after.metadata, resourceVersion: metadata.resourceVersion } };
    const refusal = await refusalOf(() => cluster.client.update(`${path}/${before.metadata.name}`, changed));
    expect(refusal.fields).toEqual(fields);
    if (fields.length > 0) expect(refusal.text).toContain('is immutable');
  });

  it('refuse with kubectl too, in words that a user can act on', async () => {
    const file = join(folder, 'bad.yaml');
    await writeFile(file, JSON.stringify(aTrainingRun('bad', { target: undefined, seed: 3 })));
    await expect(kubectl('apply', '-f', file)).rejects.toThrow(/TrainingRun "bad" is invalid: spec\.target: .*is needed by this architecture/);
    await writeFile(file, JSON.stringify(aTrainingRun('bad', { speed: 3 })));
    await expect(kubectl('apply', '-f', file)).rejects.toThrow(/unknown field "spec\.speed"/);
  });

  describe('show with kubectl', () => {
    const store = () => new KubernetesResourceStore({ client: cluster.client, namespaces: [namespace], log: () => undefined });
    /** A run whose stages prepare-faces and prepare-avatars are at work, with its status changed by `change`. */
    async function aRun(change: (status: TrainingRunStatus) => void = () => undefined): Promise<Resource> {
      const resource = await cluster.createResource(aTrainingRun('faces'), namespace);
      const status = plan(resource, { jobs: [], reports: {}, artifacts: {}, inputs: {}, samples: [], ...RUNNING }, Date.now()).status as TrainingRunStatus;
      change(status);
      await store().updateStatus(resource, status);
      return resource;
    }
    const training = (status: TrainingRunStatus) => {
      for (const stage of status.stages) stage.state = 'Succeeded';
      Object.assign(status.stages.find(({ name }) => name === 'train')!, { state: 'Running', attempts: 1, progress: { step: 40, totalSteps: 100, etaSeconds: 12.6 }, metrics: { d: 0.5, g: 1.25, 'accuracy/target': 0.5 } });
    };

    it('phase, stage, step, loss, time left and age of a run', async () => {
      await aRun(training);
      const [header, row] = (await kubectl('get', 'trun')).split('\n');
      expect(header).toMatch(/^NAME +PHASE +STAGE +STEP +LOSS +ETA +AGE/);
      expect(row).toMatch(/^faces +Running +train +40 +1\.25 +12 +\d+s/);
    });

    it('the first of two stages that run at once', async () => {
      await aRun();
      expect(await kubectl('get', 'trainingruns')).toMatch(/faces +Running +prepare-faces /);
    });

    it("a crawl's images", async () => {
      const crawl = await cluster.createResource(aCrawlJob('avatars'), namespace);
      const observed = { jobs: [], artifacts: {}, inputs: {}, samples: [], reports: { crawl: { progress: { step: 4, totalSteps: 10, etaSeconds: 6 }, metrics: { images: 4 } } } };
      const job = { name: 'avatars-crawl-1', stage: 'crawl' as const, attempt: 1, state: 'Running' as const, terminal: false, disrupted: false };
      await store().updateStatus(crawl, plan(crawl, { ...observed, jobs: [job] }, Date.now()).status!);
      const [header, row] = (await kubectl('get', 'crawl')).split('\n');
      expect(header).toMatch(/^NAME +PHASE +STAGE +STEP +IMAGES +ETA +AGE/);
      expect(row).toMatch(/^avatars +Running +crawl +4 +4 +6 +\d+s/);
    });

    it('all kinds by their category, and those of one phase', async () => {
      await aRun();
      await cluster.createResource(aCrawlJob('avatars'), namespace);
      expect((await kubectl('get', 'caricature', '-o', 'name')).split('\n').sort()).toEqual(['', 'crawljob.caricature.dev/avatars', 'trainingrun.caricature.dev/faces']);
      expect(await kubectl('get', 'trun', '--field-selector=status.phase=Running', '-o', 'name')).toContain('faces');
      expect(await kubectl('get', 'trun', '--field-selector=status.phase=Failed', '-o', 'name')).toBe('');
    });

    it('that a run has succeeded, to whoever waits for it', async () => {
      const run = await aRun();
      const waiting = kubectl('wait', 'trun/faces', '--for=condition=Succeeded', '--timeout=60s');
      const now = (await store().find({ ...run.metadata, kind: 'TrainingRun' }))!;
      const conditions = now.status!.conditions.map((c) => (c.type === 'Succeeded' ? { ...c, status: 'True' as const, reason: 'AllStagesSucceeded' as const } : c));
      await store().updateStatus(now, { ...now.status!, phase: 'Succeeded', conditions });
      expect(await waiting).toContain('condition met');
    }, 90_000);

    it('what a field means and whether it is needed', async () => {
      expect(await kubectl('explain', 'trun.spec.model.imageSize')).toContain("Overrides the preset's image size");
      expect(await kubectl('explain', 'crawl.spec.source')).toMatch(/baseUrl\s+<string> -required-\s+The avatar API/);
      expect(await kubectl('explain', 'trun.spec.train.mode')).toMatch(/ENUM:\s+Frozen\s+Joint/);
    });

    it('conditions and stages of a resource', async () => {
      await aRun(training);
      const text = await kubectl('describe', 'trun', 'faces');
      for (const line of [/Phase:\s+Running/, /Type:\s+Progressing/, /Reason:\s+StageRunning/, /Total Steps:\s+100/]) expect(text).toMatch(line);
    });
  });
});
