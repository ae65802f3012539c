import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { RELEASE, ROOT, type Manifest } from '../charts/chart.js';
import type { Installation } from './installation.js';

/** A stage, as a resource's status has it. */
export interface Stage {
  name: string;
  state: string;
  attempts: number;
  cached: boolean;
  message?: string;
  artifact?: { digest: string; uri: string; key: string };
}

/** The crawl and the run that `npm start` is tested with, on the avatar source of the cluster, a GPU for each stage, and long enough to be interrupted. */
export async function tinyResources({ namespace }: Pick<Installation, 'namespace'>): Promise<[crawl: Manifest, run: Manifest]> {
  const text = await readFile(join(ROOT, 'test/e2e/tiny.yaml'), 'utf8');
  const [crawl, run] = parseAllDocuments(text).map((document) => document.toJS() as Manifest) as [Manifest, Manifest];
  crawl.spec.source.baseUrl = `http://${RELEASE}-avatars.${namespace}.svc:4010`;
  Object.assign(run.spec.train, { steps: 1200, checkpointEverySteps: 100, sampleEverySteps: 400 });
  run.spec.resources = { requests: { cpu: '50m', memory: '256Mi' }, limits: { memory: '2Gi', 'nvidia.com/gpu': 1 } };
  return [crawl, run];
}

/** Defaults of the preset, said aloud: what is computed stays the same, but the key of its artifact is another, so that nothing is taken from elsewhere. */
const SAID: object[] = [
  { batchSize: 8 }, { learningRate: 3e-3 }, { optimizer: 'Adam' },
  { weights: { gan: 1 } }, { weights: { const: 30 } }, { weights: { tid: 100 } }, { weights: { tv: 0 } },
];
export const WAYS_TO_SAY = 2 ** SAID.length - 1;

/** The same run under another name; `way`, from 1, says which of its defaults it says. */
export function retold(run: Manifest, name: string, way: number): Manifest {
  const copy = structuredClone(run);
  copy.metadata = { ...copy.metadata, name };
  for (const [bit, said] of SAID.entries()) {
    if (!(way & (1 << bit))) continue;
    const weights = { ...copy.spec.train.weights, ...('weights' in said ? (said.weights as object) : {}) };
    Object.assign(copy.spec.train, said, Object.keys(weights).length > 0 ? { weights } : {});
  }
  return copy;
}
