import type { StageStatus } from '@caricature/contracts';
import type { Resource } from '../controller-client.js';
import { bar, duration, plain } from './text.js';

const BAR_WIDTH = 24;
const QUIET_LINE_EVERY_MS = 15_000;

/** Shows how resources come along: bars that are redrawn on a terminal, a line per change (and now and then) elsewhere. */
export class LiveView {
  private drawnLines = 0;
  private readonly said = new Map<string, string>();
  private readonly saidAt = new Map<string, number>();

  constructor(
    private readonly interactive: boolean,
    private readonly write: (text: string) => void,
    private readonly columns: () => number = () => process.stdout.columns || 100,
  ) {}

  update(resources: Resource[], now: number): void {
    if (this.interactive) this.redraw(resources, now);
    else for (const resource of resources) for (const stage of resource.status?.stages ?? []) this.say(resource, stage, now);
  }

  /** Says something in between; bars are drawn anew below it. */
  note(line: string): void {
    this.write(`${line}\n`);
    this.drawnLines = 0;
  }

  private redraw(resources: Resource[], now: number): void {
    const lines = resources.flatMap((r) => [
      `${r.kind} ${r.metadata.name}: ${r.status?.phase ?? 'Pending'}`,
      ...(r.status?.stages ?? []).map((s) => `  ${stageLine(s, now)}`),
    ]);
    const up = this.drawnLines > 0 ? `\u001b[${this.drawnLines}A` : '';
    const width = this.columns() - 1;
    this.write(up + lines.map((l) => `\u001b[2K${[...l].slice(0, width).join('')}\n`).join(''));
    this.drawnLines = lines.length;
  }

  private say(resource: Resource, stage: StageStatus, now: number): void {
    const key = `${resource.metadata.uid}/${stage.name}`;
    const state = `${stage.state} ${stage.attempts}`;
    const changed = this.said.get(key) !== state;
    const due = stage.state === 'Running' && now - (this.saidAt.get(key) ?? 0) > QUIET_LINE_EVERY_MS;
    if ((changed && stage.state !== 'Pending') || due) {
      this.write(`${resource.metadata.name} ${stageLine(stage, now)}\n`);
      this.saidAt.set(key, now);
    }
    this.said.set(key, state);
  }
}

function stageLine(stage: StageStatus, now: number): string {
  const name = stage.name.padEnd(15);
  const { progress } = stage;
  if (stage.state === 'Succeeded') {
    const time = stage.cached ? 'from the cache' : duration((Date.parse(stage.completionTime ?? '') - Date.parse(stage.startTime ?? '')) / 1000 || 0);
    return `${name} ${bar(1, BAR_WIDTH)} done   ${time}`;
  }
  if (stage.state === 'Failed') return `${name} ${bar(0, BAR_WIDTH)} FAILED ${plain(stage.message ?? '').split('\n')[0]}`;
  if (stage.state !== 'Running') return `${name} ${bar(0, BAR_WIDTH)} ${plain(stage.message ?? 'waits').split('\n')[0]}`;
  if (!progress || progress.totalSteps === 0) return `${name} ${bar(0, BAR_WIDTH)} starting (${duration((now - Date.parse(stage.startTime ?? new Date(now).toISOString())) / 1000)})`;
  const eta = progress.etaSeconds !== undefined ? `, ${duration(progress.etaSeconds)} left` : '';
  return `${name} ${bar(progress.step / progress.totalSteps, BAR_WIDTH)} ${progress.step}/${progress.totalSteps}${eta}${losses(stage)}`;
}

function losses({ metrics = {} }: StageStatus): string {
  const shown = ['loss', 'accuracy', 'g', 'd', 'gan', 'const', 'tid', 'images', 'failed'].filter((name) => name in metrics).slice(0, 5);
  return shown.length > 0 ? `   ${shown.map((n) => `${n} ${Number.isInteger(metrics[n]) ? metrics[n] : metrics[n]!.toFixed(3)}`).join('  ')}` : '';
}
