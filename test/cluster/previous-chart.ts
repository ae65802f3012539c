import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { CHART, type Manifest } from '../charts/chart.js';

/** The chart as an earlier version might have been: an older number, and definitions that lack a short name. */
export async function makePreviousChart(to: string): Promise<string> {
  await cp(CHART, to, { recursive: true });
  const about = parse(await readFile(join(to, 'Chart.yaml'), 'utf8')) as Record<string, unknown>;
  await writeFile(join(to, 'Chart.yaml'), stringify({ ...about, version: '0.0.9' }));
  const file = join(to, 'files/crds/trainingruns.caricature.dev.yaml');
  const crd = parse(await readFile(file, 'utf8')) as Manifest;
  delete crd.spec.names.shortNames;
  await writeFile(file, stringify(crd, { aliasDuplicateObjects: false }));
  return to;
}
