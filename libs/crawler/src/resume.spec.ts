import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crawl } from './crawl.js';
import { compileSources } from './testing/compile-sources.js';
import { aCrawl, startMisbehavingServer, type MisbehavingServer } from './testing/misbehaving.server.js';

const CONCURRENCY = 4;
let server: MisbehavingServer;
let scratch: string;
let compiled: Awaited<ReturnType<typeof compileSources>>;

beforeAll(async () => {
  server = await startMisbehavingServer();
  server.fault = async () => sleep(3).then(() => false);
  scratch = await mkdtemp(join(tmpdir(), 'caricature-resume-'));
  compiled = await compileSources();
});
afterAll(async () => {
  await server?.stop();
  await compiled?.remove();
  await rm(scratch, { recursive: true, force: true });
});

const options = (dir: string) => {
  const politeness = { ...aCrawl(server, dir).politeness, concurrency: CONCURRENCY };
  return aCrawl(server, dir, { sampling: { count: 200, seed: 3 }, output: { imagesPerShard: 30 }, politeness });
};
const renders = () => server.asked.filter((path) => path.includes('/render/'));

/** Crawls in a process of its own, killed without warning once it has asked so often. */
async function crawlInChild(dir: string, killAfter: number): Promise<string> {
  const child = spawn(process.execPath, [join(compiled.dir, 'testing/crawl.child.js'), JSON.stringify(options(dir))], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  const exited = once(child, 'close');
  const until = renders().length + killAfter;
  while (child.exitCode === null && renders().length < until) await sleep(1);
  child.kill('SIGKILL');
  await exited;
  return output;
}

describe('a crawl killed with SIGKILL', () => {
  it('carries on after five kills with nothing lost, nothing doubled and the same bytes', async () => {
    await crawl(options(join(scratch, 'whole')));
    server.asked.length = 0;
    const dir = join(scratch, 'killed');
    const kills = [23, 31, 7, 44, 16].map((mean) => mean + Math.floor(Math.random() * 6));
    for (const killAfter of kills) expect(await crawlInChild(dir, killAfter)).toBe('');
    const result = JSON.parse(await crawlInChild(dir, Infinity));

    expect(result).toMatchObject({ images: 200, failed: 0, duplicates: 0, shards: 7 });
    expect(new Set(renders()).size).toBe(200);
    expect(renders().length).toBeLessThanOrEqual(200 + kills.length * CONCURRENCY);
    const names = (await readdir(join(scratch, 'whole'))).sort();
    expect((await readdir(dir)).sort()).toEqual(names);
    for (const name of names) expect((await readFile(join(dir, name))).equals(await readFile(join(scratch, 'whole', name)))).toBe(true);
  });
});
