import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Report, ReportItem, StageAssignment } from '@caricature/contracts';

export interface ReportSenderOptions {
  assignment: Pick<StageAssignment, 'job' | 'stage'>;
  controllerUrl: string;
  /** Read anew for each report: the token in it is replaced before it expires, and a stage may take longer than that. */
  tokenFile: string;
  spoolDir: string;
  /** How long items are gathered into one report. */
  intervalMs?: number;
  /** How long `flush` and `close` wait for a controller that is away. */
  patienceMs?: number;
  log?: (line: string) => void;
  /** Called once when a newer attempt has taken this one's place: nothing that it tells counts any more. */
  onSuperseded?: () => void;
}

const LARGEST_REPORT = 1000;
const SUPERSEDED = 410;
const LONGEST_DELAY_MS = 10_000;
const FLUSH_POLL_MS = 20;

/**
 * Tells the controller what a stage does. Reports are numbered and written to disk before they are sent, in order, until each is
 * acknowledged: none is lost while the controller is away, none counts twice.
 */
export class ReportSender {
  private waiting: ReportItem[] = [];
  /** What is in the reports on disk, by their number. */
  private readonly spooled = new Map<number, ReportItem[]>();
  private sequence = 0;
  private closed = false;
  private loop: Promise<void> = Promise.resolve();
  private wake = new AbortController();

  constructor(private readonly options: ReportSenderOptions) {}

  async start(): Promise<void> {
    await mkdir(this.options.spoolDir, { recursive: true });
    for (const name of (await readdir(this.options.spoolDir)).filter((f) => f.endsWith('.json')).sort()) {
      const { sequence, items } = JSON.parse(await readFile(join(this.options.spoolDir, name), 'utf8')) as Report;
      this.spooled.set(sequence, items);
    }
    const acknowledged = Number(await readFile(this.acknowledgedFile, 'utf8').catch(() => '0'));
    this.sequence = Math.max(acknowledged, ...this.spooled.keys());
    this.loop = this.run();
  }

  /** Queues an item. Progress that was not sent yet is replaced by newer progress. */
  add(item: ReportItem): void {
    if (item.type === 'progress' || item.type === 'counters') this.waiting = this.waiting.filter((w) => w.type !== item.type);
    this.waiting.push(item);
  }

  /** What the controller has not taken yet. */
  unsent(): ReportItem[] {
    return [...[...this.spooled.values()].flat(), ...this.waiting];
  }

  /** Resolves when the controller has taken everything. @throws when it stays away longer than the patience */
  async flush(): Promise<void> {
    const { patienceMs = 300_000, controllerUrl } = this.options;
    const deadline = Date.now() + patienceMs;
    for (this.wake.abort(); this.unsent().length > 0; await sleep(FLUSH_POLL_MS)) {
      if (Date.now() > deadline) throw new Error(`the controller at ${controllerUrl} did not take the last reports`);
    }
  }

  /** Sends what is left. @throws as `flush` */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      this.closed = true;
      this.wake.abort();
      await this.loop;
    }
  }

  private async run(): Promise<void> {
    const { intervalMs = 500 } = this.options;
    let delayMs = intervalMs;
    while (!this.closed) {
      await this.spoolWaiting();
      delayMs = (await this.drain()) ? intervalMs : Math.min(LONGEST_DELAY_MS, delayMs * 2);
      if (this.wake.signal.aborted) this.wake = new AbortController();
      if (!this.closed) await sleep(delayMs, undefined, { signal: this.wake.signal }).catch(() => undefined);
    }
  }

  private async spoolWaiting(): Promise<void> {
    while (this.waiting.length > 0) {
      const items = this.waiting.splice(0, LARGEST_REPORT);
      const sequence = ++this.sequence;
      this.spooled.set(sequence, items);
      const report: Report = { job: this.options.assignment.job, stage: this.options.assignment.stage, sequence, items };
      const file = this.fileOf(sequence);
      await writeFile(`${file}.tmp`, JSON.stringify(report));
      await rename(`${file}.tmp`, file);
    }
  }

  /** True when nothing is left on disk. */
  private async drain(): Promise<boolean> {
    for (const sequence of this.spooled.keys()) {
      const file = this.fileOf(sequence);
      if (!(await this.send(await readFile(file, 'utf8')))) return false;
      await writeFile(this.acknowledgedFile, String(sequence));
      await rm(file);
      this.spooled.delete(sequence);
    }
    return true;
  }

  private async send(body: string): Promise<boolean> {
    try {
      const token = (await readFile(this.options.tokenFile, 'utf8')).trim();
      const response = await fetch(new URL('/api/v1/reports', this.options.controllerUrl), {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body,
        signal: AbortSignal.timeout(15_000),
      });
      if (response.ok) return true;
      if (response.status === SUPERSEDED && !this.closed) {
        this.closed = true;
        this.options.onSuperseded?.();
      }
      this.options.log?.(`report refused: ${response.status} ${await response.text()}`);
      return false;
    } catch {
      return false;
    }
  }

  private fileOf(sequence: number): string {
    return join(this.options.spoolDir, `${String(sequence).padStart(9, '0')}.json`);
  }

  private get acknowledgedFile(): string {
    return join(this.options.spoolDir, 'acknowledged');
  }
}
