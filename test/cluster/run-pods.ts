import { expect } from 'vitest';
import type { Manifest } from '../charts/chart.js';
import type { Installation } from './installation.js';

const MINUTE = 60_000;

/** The pods of one run's training. */
export class RunPods {
  constructor(
    private readonly chart: Installation,
    readonly run: string,
    private readonly namespace = chart.namespace,
  ) {}

  list(): Promise<Manifest[]> {
    return this.chart.list('pods', '--namespace', this.namespace, '-l', `app.kubernetes.io/name=caricature-worker,caricature.dev/stage=train,caricature.dev/name=${this.run}`);
  }

  log(pod: string): Promise<string> {
    return this.chart.kubectl('logs', pod, '--namespace', this.namespace).catch(() => '');
  }

  /** The pod that trains, once it has written a checkpoint: what comes after it may be lost. */
  async atWork(): Promise<Manifest> {
    let found: Manifest | undefined;
    const said = async () => {
      found = (await this.list()).find(({ status, metadata }) => status.phase === 'Running' && !('deletionTimestamp' in metadata));
      return found ? this.log(found.metadata.name) : '';
    };
    await expect.poll(said, { timeout: 3 * MINUTE, interval: 300 }).toMatch(/checkpoint at step/);
    return found!;
  }

  /** Does something to the pod that trains, and waits until another has gone on from its checkpoint. */
  async outlive(interruption: (pod: Manifest) => Promise<unknown>): Promise<void> {
    const pod = await this.atWork();
    await interruption(pod);
    const next = await this.atWork();
    expect(next.metadata.name).not.toBe(pod.metadata.name);
    expect(await this.log(next.metadata.name)).toContain('going on from the last checkpoint');
  }
}
