import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Report, ReportItem, StageAssignment } from '@caricature/contracts';

export interface ReportSenderOptions {
  assignment: Pick<StageAssignment, 'job' | 'stage'>;
  controllerUrl: string;
  token: string;
  spoolDir: string;
  /** How long items are gathered into one report. */
  intervalMs?: number;
  /** How long the last reports are tried before the process ends without them. */
  patienceMs?: number;
  log?: (line: string) => void;
}

const LARGEST_REPORT = 1000;

/**
 * Tells the controller what a stage does. Reports are numbered and written to disk before they are sent, in order, until each is
 * acknowledged: none is lost while the controller is away, none counts twice.
 */
export class ReportSender {
  private waiting: ReportItem[] = [];
  private sequence = 0;
  private closing = false;
  private loop: Promise<void> = Promise.resolve();
  private wake = new AbortController();
  private unreachableSince: number | undefined;

  constructor(private readonly options: ReportSenderOptions) {}

  async start(): Promise<void> {
    await mkdir(this.options.spoolDir, { recursive: true });
    const spooled = await this.spooled();
    const acknowledged = Number(await readFile(this.acknowledgedFile, 'utf8').catch(() => '0'));
    this.sequence = Math.max(acknowledged, ...spooled.map((f) => Number.parseInt(f, 10)), 0);
    this.loop = this.run();
  }

  /** Queues an item. Progress that was not sent yet is replaced by newer progress. */
  add(item: ReportItem): void {
    if (item.type === 'progress' || item.type === 'counters') this.waiting = this.waiting.filter((w) => w.type !== item.type);
    this.waiting.push(item);
  }

  /** Sends what is left. @throws when the controller stayed away longer than the patience. */
  async close(): Promise<void> {
    this.closing = true;
    this.wake.abort();
    await this.loop;
  }

  private async run(): Promise<void> {
    const { intervalMs = 500, patienceMs = 300_000 } = this.options;
    let delayMs = 200;
    const startedClosing = () => (this.closing ? (this.unreachableSince ??= Date.now()) : undefined);
    for (;;) {
      await this.spoolWaiting();
      const drained = await this.drain();
      if (drained && this.closing && this.waiting.length === 0) return;
      if (drained) {
        delayMs = 200;
        this.unreachableSince = undefined;
      } else {
        delayMs = Math.min(10_000, delayMs * 2);
        const since = startedClosing();
        if (since !== undefined && Date.now() - since > patienceMs) throw new Error(`the controller at ${this.options.controllerUrl} did not take the last reports`);
      }
      const ms = drained ? intervalMs : delayMs;
      await sleep(ms, undefined, this.closing ? {} : { signal: this.wake.signal }).catch(() => undefined);
    }
  }

  private async spoolWaiting(): Promise<void> {
    while (this.waiting.length > 0) {
      const items = this.waiting.splice(0, LARGEST_REPORT);
      const sequence = ++this.sequence;
      const report: Report = { job: this.options.assignment.job, stage: this.options.assignment.stage, sequence, items };
      const file = join(this.options.spoolDir, `${String(sequence).padStart(9, '0')}.json`);
      await writeFile(`${file}.tmp`, JSON.stringify(report));
      await rename(`${file}.tmp`, file);
    }
  }

  /** True when nothing is left on disk. */
  private async drain(): Promise<boolean> {
    for (const name of await this.spooled()) {
      const file = join(this.options.spoolDir, name);
      if (!(await this.send(await readFile(file, 'utf8')))) return false;
      await writeFile(this.acknowledgedFile, String(Number.parseInt(name, 10)));
      await rm(file);
    }
    return true;
  }

  private async send(body: string): Promise<boolean> {
    try {
      const response = await fetch(new URL('/api/v1/reports', this.options.controllerUrl), {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${this.options.token}` },
        body,
        signal: AbortSignal.timeout(15_000),
      });
      if (response.ok) return true;
      this.options.log?.(`report refused: ${response.status} ${await response.text()}`);
      return false;
    } catch {
      return false;
    }
  }

  private async spooled(): Promise<string[]> {
    return (await readdir(this.options.spoolDir)).filter((f) => f.endsWith('.json')).sort();
  }

  private get acknowledgedFile(): string {
    return join(this.options.spoolDir, 'acknowledged');
  }
}
