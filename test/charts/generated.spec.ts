import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderDashboards } from '../../charts/dashboards/index.js';
import { CHART, ROOT } from './chart.js';

const files = (folder: string) => readdirSync(folder).sort();

/** `npm test -- test/charts/generated.spec.ts -u` writes them anew. */
describe('what the chart has generated', () => {
  it.each(renderDashboards())('the dashboard $name is current', async ({ name, text }) => {
    await expect(text).toMatchFileSnapshot(join(CHART, 'files/dashboards', name));
  });

  it.each(files(join(ROOT, 'crds')))('the definition %s is that of crds/', async (name) => {
    await expect(readFileSync(join(ROOT, 'crds', name), 'utf8')).toMatchFileSnapshot(join(CHART, 'files/crds', name));
  });

  it('and nothing else', () => {
    expect(files(join(CHART, 'files/dashboards'))).toEqual(renderDashboards().map(({ name }) => name).sort());
    expect(files(join(CHART, 'files/crds'))).toEqual(files(join(ROOT, 'crds')));
  });
});
