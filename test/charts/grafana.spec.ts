import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { CHART } from './chart.js';
import { grafanaCheckPath } from './grafana.env.js';

const run = promisify(execFile);
const FOLDER = join(CHART, 'files/dashboards');
const files = readdirSync(FOLDER).map((name) => join(FOLDER, name));

describe("Grafana's schema", () => {
  it('knows every field of the dashboards, and takes their values', async () => {
    expect(files).toHaveLength(4);
    await expect(run(await grafanaCheckPath(), files)).resolves.toMatchObject({ stdout: '' });
  });

  it.each([
    ['a field that it does not know', (text: string) => text.replace('"refresh":', '"refrash":'), /refrash/],
    ['a value of the wrong kind', (text: string) => text.replace('"editable": true', '"editable": "yes"'), /editable/],
  ])('objects to %s', async (_title, spoil, complaint) => {
    const folder = mkdtempSync(join(tmpdir(), 'caricature-dashboard-'));
    const file = join(folder, 'spoilt.json');
    try {
      const text = readFileSync(files[0]!, 'utf8');
      expect(spoil(text)).not.toBe(text);
      writeFileSync(file, spoil(text));
      await expect(run(await grafanaCheckPath(), [file])).rejects.toMatchObject({ stdout: expect.stringMatching(complaint) });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
