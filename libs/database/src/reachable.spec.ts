import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { applyMigrations } from './migrate.js';
import { isUnreachable, untilReachable } from './reachable.js';

describe('a database server that is away', () => {
  const migrate = (port: number) => applyMigrations({ url: `postgresql://caricature:x@127.0.0.1:${port}/caricature` });

  it('is told from one that refuses: only the former is worth another try', async () => {
    expect(isUnreachable(await migrate(9).catch((error: unknown) => error))).toBe(true);
    for (const error of [Object.assign(new Error('the database system is starting up'), { code: '57P03' }), new Error('timeout expired'), new Error('Connection terminated unexpectedly')]) expect(isUnreachable(error)).toBe(true);
    for (const error of [Object.assign(new Error('password authentication failed'), { code: '28P01' }), new Error('a bug'), undefined]) expect(isUnreachable(error)).toBe(false);
  });

  it('and does not even refuse is given up after seconds', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const error: unknown = await migrate((silent.address() as AddressInfo).port).catch((e: unknown) => e);
    silent.close();
    expect(isUnreachable(error)).toBe(true);
  }, 20_000);

  it('is waited for, and its return is noticed', async () => {
    const answers = ['ECONNREFUSED', 'ENOTFOUND', 'ENOTFOUND'];
    const said: string[] = [];
    const work = async () => {
      const code = answers.shift();
      if (code) throw Object.assign(new Error(`connect ${code}`), { code });
      return 'there';
    };
    expect(await untilReachable(work, { log: (line) => void said.push(line), patienceMs: 10_000, retryMs: 1 })).toBe('there');
    expect(said).toEqual(['Postgres does not answer (connect ECONNREFUSED): trying again', 'Postgres does not answer (connect ENOTFOUND): trying again']);
  });

  it('is not waited for beyond the patience, nor any other error', async () => {
    const away = () => Promise.reject(Object.assign(new Error('away'), { code: 'ECONNREFUSED' }));
    await expect(untilReachable(away, { log: () => undefined, patienceMs: 20, retryMs: 1 })).rejects.toThrow('away');
    await expect(untilReachable(() => Promise.reject(new Error('a bug')), { log: () => undefined, patienceMs: 10_000 })).rejects.toThrow('a bug');
  });
});
