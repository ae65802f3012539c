import { deflateSync } from 'node:zlib';
import type { LookupFunction } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFetcher, type Fetcher, type FetcherOptions } from './fetcher.js';
import { aCrawl, drawing, startMisbehavingServer, type MisbehavingServer } from './testing/misbehaving.server.js';

let server: MisbehavingServer;
let other: MisbehavingServer;
const open: Fetcher[] = [];

beforeEach(async () => {
  [server, other] = await Promise.all([startMisbehavingServer(), startMisbehavingServer()]);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((fetcher) => fetcher.close()));
  await Promise.all([server.stop(), other.stop()]);
});

const PICTURE = '/v2/render/bitmoji/male.png?hair=-1&glasses=-1&skin=1500&face=2100';
const polite = (changes = {}) => ({ ...aCrawl(server, '').politeness, maxRetries: 0, ...changes });

function get(path: string, { baseUrl = server.baseUrl, politeness = polite(), ...options }: FetcherOptions & { baseUrl?: string; politeness?: ReturnType<typeof polite> } = {}) {
  const fetcher = createFetcher({ source: { ...aCrawl(server, '').source, baseUrl }, politeness }, options);
  open.push(fetcher);
  return fetcher.fetch({ url: new URL(path, baseUrl), accept: 'image' });
}

/** DNS that answers every name with one address. */
const dns = (address: string): LookupFunction => (_name, options, callback) => {
  const family = address.includes(':') ? 6 : 4;
  if (options.all) callback(null, [{ address, family }] as never);
  else callback(null, address, family);
};

describe('host guard', () => {
  const redirectTo = (location: string) => {
    server.fault = (_request, response, n) => n === 1 && !!response.writeHead(302, { location }).end();
  };

  it('follows a redirect on the same host', async () => {
    redirectTo(PICTURE);
    expect((await get('/v2/render/old.png')).status).toBe(200);
  });

  it.each(['http://169.254.169.254/latest/meta-data', 'http://localhost:1/x', '//evil.example/x', 'file:///etc/passwd', 'http://user:pass@127.0.0.1/'])(
    'refuses a redirect to %s',
    async (location) => {
      redirectTo(location);
      await expect(get(PICTURE)).rejects.toMatchObject({ kind: 'host', retryable: false });
    },
  );

  it('refuses a redirect to another port of the same machine, which is never asked', async () => {
    redirectTo(other.baseUrl + PICTURE);
    await expect(get(PICTURE)).rejects.toMatchObject({ kind: 'host', message: expect.stringContaining('the resource names only') });
    expect(other.asked).toEqual([]);
  });

  it('ends a loop of redirects', async () => {
    server.fault = (_request, response) => !!response.writeHead(302, { location: PICTURE }).end();
    await expect(get(PICTURE)).rejects.toMatchObject({ kind: 'refused', message: expect.stringContaining('more than 5 times') });
  });

  it.each(['127.0.0.1', '10.1.2.3', '192.168.0.1', '172.20.0.1', '100.64.0.1', '169.254.169.254', '0.0.0.0', '::1', 'fd00::1', 'fe80::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '64:ff9b::7f00:1'])(
    'refuses a public name that leads to %s',
    async (address) => {
      const baseUrl = `http://avatars.example:${new URL(server.baseUrl).port}`;
      await expect(get(PICTURE, { baseUrl, lookup: dns(address) })).rejects.toMatchObject({ kind: 'host', retryable: false, message: expect.stringContaining(`leads to ${address}`) });
      expect(server.asked).toEqual([]);
    },
  );

  it('lets a name lead inside when the operator lists it, alone or by its suffix', async () => {
    const baseUrl = `http://avatars.team.svc:${new URL(server.baseUrl).port}`;
    for (const internalHosts of [['avatars.team.svc'], ['*.svc']]) {
      expect((await get(PICTURE, { baseUrl, lookup: dns('127.0.0.1'), internalHosts })).status).toBe(200);
    }
    await expect(get(PICTURE, { baseUrl, lookup: dns('127.0.0.1'), internalHosts: ['*.vc', 'team.svc'] })).rejects.toMatchObject({ kind: 'host' });
  });

  it('lets localhost be this machine, and refuses link-local addresses even by name', async () => {
    const baseUrl = server.baseUrl.replace('127.0.0.1', 'localhost');
    expect((await get(PICTURE, { baseUrl, lookup: dns('127.0.0.1') })).status).toBe(200);
    await expect(get(PICTURE, { baseUrl: 'http://169.254.169.254' })).rejects.toMatchObject({ kind: 'host' });
    await expect(get(PICTURE, { baseUrl: 'http://0xa9fea9fe' })).rejects.toMatchObject({ kind: 'host' });
    await expect(get(PICTURE, { baseUrl: 'http://[::ffff:169.254.169.254]' })).rejects.toMatchObject({ kind: 'host' });
  });
});

describe('robots.txt', () => {
  it('keeps away from what is disallowed, and says why', async () => {
    server.robotsTxt = 'User-agent: *\nDisallow: /v2/render/';
    await expect(get(PICTURE)).rejects.toMatchObject({ code: 'RobotsDisallowed', retryable: false, message: expect.stringMatching(/robots\.txt disallows \/v2\/render\/.*rule "\/v2\/render\/"/) });
    expect(server.asked).toEqual(['/robots.txt']);
    expect((await get(PICTURE, { politeness: polite({ respectRobotsTxt: false }) })).status).toBe(200);
  });

  it('is asked for once, however many requests there are', async () => {
    const fetcher = createFetcher({ source: aCrawl(server, '').source, politeness: polite() });
    open.push(fetcher);
    await Promise.all(Array.from({ length: 6 }, () => fetcher.fetch({ url: new URL(PICTURE, server.baseUrl), accept: 'image' })));
    expect(server.asked.filter((path) => path === '/robots.txt')).toHaveLength(1);
  });

  it('is obeyed where a redirect leads', async () => {
    server.robotsTxt = 'User-agent: *\nDisallow: /private/';
    server.fault = (_request, response) => !!response.writeHead(302, { location: '/private/x.png' }).end();
    await expect(get(PICTURE)).rejects.toMatchObject({ code: 'RobotsDisallowed' });
    expect(server.asked).not.toContain('/private/x.png');
  });
});

describe('requests', () => {
  it('are given up after the timeout', async () => {
    server.fault = () => true; // never answers
    await expect(get(PICTURE, { politeness: polite({ timeoutSeconds: 0.2 }) })).rejects.toMatchObject({ kind: 'timeout', retryable: true });
  });

  it('are tried again as often as allowed, and no more', async () => {
    server.fault = (_request, response) => !!response.writeHead(503, { 'retry-after': '0' }).end('busy');
    await expect(get(PICTURE, { politeness: polite({ maxRetries: 2 }) })).rejects.toMatchObject({ kind: 'throttled', message: expect.stringContaining('503 "busy"') });
    expect(server.asked.filter((path) => path === PICTURE)).toHaveLength(3);
  });

  it('that are refused in raw bytes are told of in legible ones', async () => {
    server.fault = (_request, response) => !!response.writeHead(404).end(Buffer.from('\x89P\0N\x1b[31mG\r\nrest', 'latin1'));
    await expect(get(PICTURE)).rejects.toMatchObject({ message: expect.stringMatching(/ answers 404 "\ufffdPN\[31mG"$/) });
  });

  it('are not tried again when they are refused', async () => {
    await expect(get('/v2/render/bitmoji/male.png?hair=7', { politeness: polite({ maxRetries: 2 }) })).rejects.toMatchObject({ kind: 'refused' });
    expect(server.asked.filter((path) => path.includes('hair=7'))).toHaveLength(1);
  });

  it('read no more than the limit of a body without end', async () => {
    server.fault = (_request, response) => {
      response.setHeader('content-type', 'image/png');
      const more = () => void (response.destroyed || response.write(Buffer.alloc(1 << 20), more));
      more();
      return true;
    };
    await expect(get(PICTURE)).rejects.toMatchObject({ kind: 'tooLarge', retryable: false });
  });

  it('refuse a small file that unpacks to very many pixels', async () => {
    const bomb = Buffer.from(await drawing(new URL('http://bomb/')));
    bomb.writeUInt32BE(60_000, 16);
    bomb.writeUInt32BE(60_000, 20);
    server.fault = (_request, response) => !!response.setHeader('content-type', 'image/png').end(bomb);
    await expect(get(PICTURE)).rejects.toMatchObject({ kind: 'tooLarge', message: expect.stringContaining('60000×60000') });
  });

  it('refuse a whole PNG whose pixels are damaged', async () => {
    const damaged = Buffer.from(await drawing(new URL('http://damaged/')));
    const at = damaged.indexOf('IDAT') + 4;
    deflateSync(Buffer.alloc(10)).copy(damaged, at);
    server.fault = (_request, response) => !!response.setHeader('content-type', 'image/png').end(damaged);
    await expect(get(PICTURE)).rejects.toMatchObject({ kind: 'broken' });
  });
});
