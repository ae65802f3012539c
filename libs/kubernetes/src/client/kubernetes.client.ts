import { request, type Dispatcher } from 'undici';
import type { KubernetesListObject, KubernetesObject } from '@kubernetes/client-node';
import { Connection } from './connection.js';
import { errorOfStatus, isKubernetesError, KubernetesError } from './kubernetes.error.js';

/** As in RBAC. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

export interface KubernetesClientOptions {
  connection: Connection;
  /** Is told of every answer; 0 stands for none. */
  onRequest?(verb: Verb, code: number): void;
  /** Asked before each write, and stops those under way: a controller that no longer leads changes nothing. */
  fence?: Fence;
}

export interface Fence {
  holds(): boolean;
  signal: AbortSignal;
}

export type Query = Record<string, string | number | boolean | undefined>;

export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: KubernetesObject;
}

interface Call {
  verb: Verb;
  path: string;
  query?: Query | undefined;
  body?: unknown;
  contentType?: string;
  isQuestion?: boolean;
  signal?: AbortSignal | undefined;
}

/** The manager under whose name everything is applied. */
export const FIELD_MANAGER = 'caricature-controller';

const METHODS: Record<Verb, Dispatcher.HttpMethod> = { get: 'GET', list: 'GET', watch: 'GET', create: 'POST', update: 'PUT', patch: 'PATCH', delete: 'DELETE' };
const TIMEOUT_MS = 30_000;
const LONGEST_EVENT = 64 * 2 ** 20;

/** The API server's REST interface, without models in between: what is read is what there is, unknown fields too. */
export class KubernetesClient {
  constructor(private readonly options: KubernetesClientOptions) {}

  /** The same client whose writes pass only while `fence` holds. */
  fenced(fence: Fence): KubernetesClient {
    return new KubernetesClient({ ...this.options, fence });
  }

  get<T extends object>(path: string, query?: Query): Promise<T> {
    return this.json<T>({ verb: 'get', path, query });
  }

  /** Undefined where there is nothing of that name. */
  async find<T extends object>(path: string): Promise<T | undefined> {
    return this.get<T>(path).catch((error: unknown) => {
      if (isKubernetesError(error, 'NotFound')) return undefined;
      throw error;
    });
  }

  list<T extends KubernetesObject>(path: string, query?: Query, signal?: AbortSignal): Promise<KubernetesListObject<T>> {
    return this.json({ verb: 'list', path, query, signal });
  }

  create<T extends object>(path: string, body: object, signal?: AbortSignal): Promise<T> {
    return this.json<T>({ verb: 'create', path, query: { fieldManager: FIELD_MANAGER }, body, signal });
  }

  /** Asks for something (a review) without making anything: no fence stops it. */
  ask<T extends object>(path: string, body: object): Promise<T> {
    return this.json<T>({ verb: 'create', path, body, isQuestion: true });
  }

  update<T extends object>(path: string, body: object, signal?: AbortSignal): Promise<T> {
    return this.json<T>({ verb: 'update', path, query: { fieldManager: FIELD_MANAGER }, body, signal });
  }

  /** Server-side apply: `Conflict` when another manager has set a field of `body` to something else. */
  apply<T extends object>(path: string, body: object): Promise<T> {
    return this.json<T>({ verb: 'patch', path, query: { fieldManager: FIELD_MANAGER, force: false }, body, contentType: 'application/apply-patch+yaml' });
  }

  merge<T extends object>(path: string, body: object): Promise<T> {
    return this.json<T>({ verb: 'patch', path, query: { fieldManager: FIELD_MANAGER }, body, contentType: 'application/merge-patch+json' });
  }

  delete(path: string, options: object = {}): Promise<object> {
    return this.json({ verb: 'delete', path, body: { kind: 'DeleteOptions', apiVersion: 'v1', ...options } });
  }

  /** The text at `path`, such as a pod's log. */
  async text(path: string, query?: Query): Promise<string> {
    const { body } = await this.send({ verb: 'get', path, query });
    return body.text();
  }

  /**
   * The changes after `query.resourceVersion`, until the server ends the watch after `seconds`. A watch that stays silent for longer than the
   * server lets it live is dead, whatever the connection says: it fails with `Timeout`.
   */
  async *watch(path: string, query: Query, seconds: number, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const call: Call = { verb: 'watch', path, query: { ...query, watch: true, allowWatchBookmarks: true, timeoutSeconds: seconds }, signal };
    const { body } = await this.send(call, (seconds + 15) * 1000);
    let rest = '';
    const decoder = new TextDecoder();
    try {
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
        rest = lines.pop()!;
        for (const line of lines) if (line) yield JSON.parse(line) as WatchEvent;
        if (rest.length > LONGEST_EVENT) throw new KubernetesError('InternalError', `watching ${path}: an event without an end`, 200);
      }
    } catch (error) {
      throw this.transportError(error, call);
    } finally {
      body.destroy();
    }
  }

  private async json<T extends object>(call: Call): Promise<T> {
    const { body } = await this.send(call);
    try {
      return (await body.json()) as T;
    } catch (error) {
      throw this.transportError(error, call);
    }
  }

  /** Sends once more after refused credentials: they may have been replaced meanwhile. */
  private async send(call: Call, bodyTimeoutMs = TIMEOUT_MS): Promise<Dispatcher.ResponseData> {
    try {
      return await this.sendOnce(call, bodyTimeoutMs);
    } catch (error) {
      if (!isKubernetesError(error, 'Unauthorized') || error.status !== 401) throw error;
      this.options.connection.forget();
      return this.sendOnce(call, bodyTimeoutMs);
    }
  }

  private async sendOnce(call: Call, bodyTimeoutMs: number): Promise<Dispatcher.ResponseData> {
    const { server, headers, dispatcher } = await this.options.connection.open();
    const signal = this.signalOf(call);
    let response: Dispatcher.ResponseData;
    try {
      response = await request(`${server}${call.path}${queryOf(call.query)}`, {
        dispatcher,
        method: METHODS[call.verb],
        headers: { accept: 'application/json', 'user-agent': FIELD_MANAGER, ...headers, ...(call.body ? { 'content-type': call.contentType ?? 'application/json' } : {}) },
        body: call.body ? JSON.stringify(call.body) : null,
        headersTimeout: TIMEOUT_MS,
        bodyTimeout: bodyTimeoutMs,
        ...(signal ? { signal } : {}),
      });
    } catch (error) {
      this.options.onRequest?.(call.verb, 0);
      throw this.transportError(error, call);
    }
    this.options.onRequest?.(call.verb, response.statusCode);
    if (response.statusCode < 300) return response;
    const text = await response.body.text().catch(() => '');
    throw errorOfStatus(response.statusCode, parseJson(text) ?? text, describe(call));
  }

  /** @throws KubernetesError `Deposed` for a write of a controller that no longer leads */
  private signalOf({ verb, signal, isQuestion }: Call): AbortSignal | undefined {
    const { fence } = this.options;
    if (!fence || isQuestion || verb === 'get' || verb === 'list' || verb === 'watch') return signal;
    if (!fence.holds()) throw new KubernetesError('Deposed', 'this controller no longer leads: it writes nothing', 0);
    return signal ? AbortSignal.any([signal, fence.signal]) : fence.signal;
  }

  private transportError(error: unknown, call: Call): Error {
    if (error instanceof KubernetesError) return error;
    const { name, code, message } = error as NodeJS.ErrnoException;
    if (call.signal?.aborted) return error as Error;
    if (name === 'AbortError') return new KubernetesError('Deposed', `${describe(call)}: stopped, this controller no longer leads`, 0);
    if (code?.startsWith('UND_ERR_') && /TIMEOUT/.test(code)) return new KubernetesError('Timeout', `${describe(call)}: the API server stayed silent`, 0, {}, { cause: error });
    return new KubernetesError('Unreachable', `${describe(call)}: the API server does not answer (${code ?? message})`, 0, {}, { cause: error });
  }
}

function queryOf(query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined).map(([name, value]) => [name, String(value)]);
  return given.length > 0 ? `?${new URLSearchParams(given as [string, string][])}` : '';
}

function describe({ verb, path }: Call): string {
  return `${verb} ${path.replace(/^\/apis?\//, '')}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
