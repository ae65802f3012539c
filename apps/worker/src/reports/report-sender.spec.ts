import { mkdtempSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from '@caricature/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ReportSender } from './report-sender.js';

const metrics = (step: number) => ({ type: 'metrics' as const, step, at: '2026-01-01T00:00:00.000Z', values: { loss: step } });

describe('a report sender', () => {
  let spoolDir: string;
  let server: Server;
  let received: Report[];
  let statuses: number[];
  let accepted: string;
  const tokenFile = () => join(spoolDir, 'token');

  beforeEach(async () => {
    spoolDir = mkdtempSync(join(tmpdir(), 'spool-'));
    received = [];
    statuses = [];
    accepted = 'Bearer secret';
    await writeFile(tokenFile(), 'secret\n');
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const status = request.headers.authorization === accepted ? (statuses.shift() ?? 200) : 401;
        if (status === 200) received.push(JSON.parse(body) as Report);
        response.writeHead(status).end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await rm(spoolDir, { recursive: true, force: true });
  });

  const aSender = (values: Partial<ConstructorParameters<typeof ReportSender>[0]> = {}) =>
    new ReportSender({
      assignment: { job: 'faces-train-1', stage: 'train' },
      controllerUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      tokenFile: tokenFile(),
      spoolDir,
      intervalMs: 5,
      ...values,
    });

  it('sends everything in order, numbered without a gap', async () => {
    const sender = aSender();
    await sender.start();
    for (let step = 1; step <= 5; step++) {
      sender.add(metrics(step));
      await new Promise((r) => setTimeout(r, 20));
    }
    await sender.close();
    expect(received.map((r) => r.sequence)).toEqual(received.map((_, i) => i + 1));
    expect(received.flatMap((r) => r.items.map((i) => (i.type === 'metrics' ? i.step : 0)))).toEqual([1, 2, 3, 4, 5]);
  });

  it('shows the token as it is by then: one that has expired was replaced in the file', async () => {
    const sender = aSender();
    await sender.start();
    sender.add(metrics(1));
    await sender.flush();
    accepted = 'Bearer renewed';
    sender.add(metrics(2));
    await expect.poll(() => sender.unsent().length).toBe(1);
    await writeFile(tokenFile(), 'renewed');
    await sender.close();
    expect(received.flatMap((r) => r.items)).toEqual([metrics(1), metrics(2)]);
  });

  it('sends a report again, under the same number, until it is taken', async () => {
    statuses = [503, 500];
    const sender = aSender();
    await sender.start();
    sender.add(metrics(1));
    await sender.close();
    expect(received).toHaveLength(1);
    expect(received[0]?.sequence).toBe(1);
  });

  it('killed before a report was taken sends it after its restart, and goes on counting', async () => {
    const away = aSender({ controllerUrl: 'http://127.0.0.1:9', patienceMs: 50 });
    await away.start();
    away.add(metrics(1));
    await expect(away.close()).rejects.toThrow('did not take the last reports');
    const again = aSender();
    await again.start();
    again.add(metrics(2));
    await again.close();
    expect(received.map((r) => [r.sequence, r.items[0]?.type === 'metrics' ? r.items[0].step : 0])).toEqual([[1, 1], [2, 2]]);
  });

  it('keeps only the newest progress that was not sent yet', async () => {
    const sender = aSender({ intervalMs: 200 });
    sender.add({ type: 'progress', step: 1, totalSteps: 9 });
    sender.add({ type: 'progress', step: 2, totalSteps: 9 });
    await sender.start();
    await sender.close();
    expect(received.flatMap((r) => r.items)).toEqual([{ type: 'progress', step: 2, totalSteps: 9 }]);
  });

  it('says once that a newer attempt has taken over, and sends no more', async () => {
    statuses = [410, 410, 410];
    let told = 0;
    const sender = aSender({ onSuperseded: () => void told++, patienceMs: 100 });
    await sender.start();
    sender.add(metrics(1));
    await expect(sender.close()).rejects.toThrow('did not take');
    expect([told, statuses.length, received]).toEqual([1, 2, []]);
  });

  it('tells what was not taken, and waits until it was', async () => {
    statuses = [503, 503];
    const sender = aSender();
    await sender.start();
    sender.add(metrics(1));
    sender.add(metrics(2));
    expect(sender.unsent()).toEqual([metrics(1), metrics(2)]);
    await sender.flush();
    expect(sender.unsent()).toEqual([]);
    expect(received.flatMap((r) => r.items)).toEqual([metrics(1), metrics(2)]);
    sender.add(metrics(3));
    await sender.close();
    expect(received.flatMap((r) => r.items)).toHaveLength(3);
  });
});
