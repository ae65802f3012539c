import { setTimeout as sleep } from 'node:timers/promises';
import type { SecureContextOptions } from 'node:tls';
import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, ProxyAgent, type Dispatcher } from 'undici';
import { KubernetesError } from './kubernetes.error.js';

export interface Access {
  server: string;
  headers: Record<string, string>;
  dispatcher: Dispatcher;
}

type HttpsOptions = SecureContextOptions & { headers?: Record<string, unknown>; auth?: string; rejectUnauthorized?: boolean; servername?: string };

/** Credentials are read again this often: a ServiceAccount's token is replaced in its file well before it ends. */
const FRESH_MS = 30_000;
const KEEP_ALIVE_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
const CLOSE_MS = 2_000;
const MOST_CONNECTIONS = 64;

/**
 * How the API server is reached: address, credentials and one pool of connections. client-node opens a new connection, with a new TLS
 * handshake, for every request; here the pool is kept until the certificates change.
 */
export class Connection {
  private access: Access | undefined;
  private readAt = -Infinity;
  private pool: { key: string; dispatcher: Dispatcher } | undefined;

  /** `load` reads the kubeconfig, or the pod's ServiceAccount. */
  constructor(private readonly load: () => KubeConfig) {}

  /** @throws KubernetesError `Unauthorized` when the kubeconfig cannot be used */
  async open(): Promise<Access> {
    if (!this.access || performance.now() - this.readAt > FRESH_MS) {
      this.access = await this.read();
      this.readAt = performance.now();
    }
    return this.access;
  }

  /** The credentials were refused: the next request reads them again. */
  forget(): void {
    this.access = undefined;
  }

  /** What is under way may end; what does not, soon, is cut off. */
  async close(): Promise<void> {
    const { dispatcher } = this.pool ?? {};
    this.pool = undefined;
    if (!dispatcher) return;
    // Streams that were just aborted and are destroyed while they end raise an error that nobody can catch.
    const isClosed = await Promise.race([dispatcher.close().then(() => true), sleep(CLOSE_MS, false, { ref: false })]);
    if (!isClosed) await dispatcher.destroy();
  }

  private async read(): Promise<Access> {
    try {
      const config = this.load();
      const cluster = config.getCurrentCluster();
      if (!cluster) throw new Error('it has no current context with a cluster');
      const options: HttpsOptions = {};
      await config.applyToHTTPSOptions(options as never);
      const headers = Object.fromEntries(Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]));
      if (options.auth) headers['authorization'] ??= `Basic ${Buffer.from(options.auth).toString('base64')}`;
      return { server: cluster.server.replace(/\/+$/, ''), headers, dispatcher: this.dispatcher(cluster, options) };
    } catch (error) {
      throw new KubernetesError('Unauthorized', `The kubeconfig cannot be used (${(error as Error).message})`, 0, {}, { cause: error });
    }
  }

  private dispatcher({ proxyUrl }: { proxyUrl?: string | undefined }, { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }: HttpsOptions): Dispatcher {
    const given = { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername };
    const tls = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    const identity = JSON.stringify([proxyUrl, tls]);
    if (this.pool?.key === identity) return this.pool.dispatcher;
    // Over HTTP/2 a client that is closed while requests are under way may raise an error that nobody can catch, or never come to an end (undici 8).
    const usual = { connections: MOST_CONNECTIONS, allowH2: false };
    const connect = { ...tls, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS, timeout: CONNECT_TIMEOUT_MS };
    const dispatcher = proxyUrl ? new ProxyAgent({ ...usual, uri: proxyUrl, requestTls: tls }) : new Agent({ ...usual, connect });
    // What is under way on the old connections ends there by itself.
    void this.pool?.dispatcher.close().catch(() => undefined);
    this.pool = { key: identity, dispatcher };
    return dispatcher;
  }
}
