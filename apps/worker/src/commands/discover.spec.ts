import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { API_VERSION, parseResource, type CrawlJob } from '@caricature/contracts';
import { startMisbehavingServer, type MisbehavingServer } from '../../../../libs/crawler/src/testing/misbehaving.server.js';
import type { StageContext } from '../stage.js';
import { CATALOG_FILE, discover } from './discover.js';

// A cluster's DNS: every name leads inside.
vi.mock('node:dns', async (original) => ({
  ...(await original<typeof import('node:dns')>()),
  lookup: (_name: string, _options: object, callback: (error: null, addresses: object[]) => void) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
}));

let server: MisbehavingServer | undefined;
let scratchDir: string | undefined;
afterEach(async () => {
  await server?.stop();
  if (scratchDir) await rm(scratchDir, { recursive: true, force: true });
});

it('finds out what the avatar source of a cluster takes, named as its Service', async () => {
  server = await startMisbehavingServer();
  scratchDir = await mkdtemp(join(tmpdir(), 'discover-'));
  const source = {
    baseUrl: `http://avatars.caricature.svc:${new URL(server.baseUrl).port}`,
    api: 'Legacy',
    template: 'smile',
    knownGood: { hair: 1288, glasses: -1, skin: 1500, face: 2100 },
    catalog: { discover: { face: { from: 2099, to: 2101 } } },
  };
  const { spec: config } = parseResource({ apiVersion: API_VERSION, kind: 'CrawlJob', metadata: { name: 'one' }, spec: { source, sampling: { count: 1 }, politeness: { requestsPerSecond: 1000 } } }) as CrawlJob;
  await discover({ config, scratchDir, signal: new AbortController().signal, report: () => {} } as unknown as StageContext<typeof config>);
  const { spaces } = JSON.parse(await readFile(join(scratchDir, CATALOG_FILE), 'utf8'));
  expect(spaces[0].categories).toContainEqual({ key: 'face', options: [2100, 2101] });
});
