import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { freePort } from '../../libs/artifacts/src/testing/s3.server.js';

export interface Sample {
  metric: Record<string, string>;
  value: [number, string];
}

export interface AlertRule {
  name: string;
  query: string;
  health: string;
  lastError?: string;
}

export interface PrometheusOptions {
  /** Name of the scrape job → address as host:port. */
  targets?: Record<string, string>;
  /** Asked every second for more addresses, of servers that come and go. */
  discover?: () => Promise<{ address: string; path: string }[]>;
  /** Files of rules. */
  rules?: string[];
}

/** A real Prometheus on this machine that scrapes once a second. */
export class Prometheus {
  private isStopped = false;

  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start({ targets = {}, discover, rules = [] }: PrometheusOptions): Promise<Prometheus> {
    const folder = await mkdtemp(join(tmpdir(), 'caricature-prometheus-'));
    const port = await freePort();
    const named = Object.entries(targets).map(([job_name, target]) => ({ job_name, static_configs: [{ targets: [target] }] }));
    const found = join(folder, 'found.json');
    const scrape_configs = [...named, ...(discover ? [{ job_name: 'found', file_sd_configs: [{ files: [found], refresh_interval: '1s' }] }] : [])];
    await writeFile(join(folder, 'prometheus.yml'), stringify({ global: { scrape_interval: '1s', evaluation_interval: '1s' }, rule_files: rules, scrape_configs }));
    const args = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=127.0.0.1:${port}`, '--log.level=warn'];
    const child = spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const prometheus = new Prometheus(`http://127.0.0.1:${port}`, child, folder);
    if (discover) void prometheus.follow(discover, found);
    await prometheus.untilReady();
    return prometheus;
  }

  /** The value of every series now. */
  async query(expr: string): Promise<Sample[]> {
    return (await this.get<{ result: Sample[] }>('query', { query: expr })).result;
  }

  /** The course of every series over the last minutes, as a panel asks for it. */
  async queryRange(expr: string, minutes: number): Promise<{ metric: Record<string, string>; values: [number, string][] }[]> {
    const end = Date.now() / 1000;
    const range = { query: expr, start: String(end - minutes * 60), end: String(end), step: '1' };
    return (await this.get<{ result: { metric: Record<string, string>; values: [number, string][] }[] }>('query_range', range)).result;
  }

  async alertRules(): Promise<AlertRule[]> {
    return (await this.get<{ groups: { rules: AlertRule[] }[] }>('rules', {})).groups.flatMap((group) => group.rules);
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    if (this.child.exitCode === null) {
      this.child.kill('SIGTERM');
      await once(this.child, 'exit');
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  private async follow(discover: () => Promise<{ address: string; path: string }[]>, file: string): Promise<void> {
    for (; !this.isStopped; await sleep(1_000)) await discover().then((servers) => writeTargets(file, servers)).catch(() => undefined);
  }

  private async get<T>(path: string, query: Record<string, string>): Promise<T> {
    const response = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(query)}`);
    const body = (await response.json()) as { status: string; error?: string; data: T };
    if (body.status !== 'success') throw new Error(`${query['query']}: ${body.error}`);
    return body.data;
  }

  private async untilReady(): Promise<void> {
    for (let wait = 0; wait < 300; wait++) {
      if (this.child.exitCode !== null) throw new Error(`prometheus ended with code ${this.child.exitCode}`);
      if (await fetch(`${this.url}/-/ready`).then((r) => r.ok, () => false)) return;
      await sleep(100);
    }
    throw new Error('prometheus is not ready after 30 s');
  }
}

async function writeTargets(file: string, servers: { address: string; path: string }[]): Promise<void> {
  const groups = servers.map(({ address, path }) => ({ targets: [address], labels: { __metrics_path__: path } }));
  await writeFile(`${file}.partial`, JSON.stringify(groups));
  await rename(`${file}.partial`, file);
}

/** What `promtool` says, and whether it was content; `input` is what it reads. */
export async function promtool(args: string[], input = ''): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    const child = execFile('promtool', args, (error, stdout, stderr) => resolve({ ok: error === null, output: `${stdout}${stderr}` }));
    child.stdin?.end(input);
  });
}
