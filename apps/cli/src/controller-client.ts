import type { CrawlJob, Kind, ResourceManifest, TrainingRun } from '@caricature/contracts';
import { CliError } from './cli.error.js';

export type Resource = CrawlJob | TrainingRun;

export interface ResourceEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  count: number;
  firstAt: string;
  lastAt: string;
}

/** The controller's HTTP API, as the commands use it. */
export class ControllerClient {
  constructor(
    private readonly url: string,
    private readonly token: string | undefined,
  ) {}

  async apply(manifest: ResourceManifest): Promise<{ result: 'created' | 'configured' | 'unchanged'; resource: Resource }> {
    return this.json('POST', '/resources', manifest);
  }

  async get(kind: Kind, namespace: string, name: string): Promise<Resource> {
    return this.json('GET', `/resources/${kind}/${namespace}/${name}`);
  }

  async find(kind: Kind, namespace: string, name: string): Promise<Resource | undefined> {
    const response = await this.request('GET', `/resources/${kind}/${namespace}/${name}`);
    return response.status === 404 ? undefined : ((await this.checked(response)).json() as Promise<Resource>);
  }

  async list(kind: Kind, namespace?: string): Promise<Resource[]> {
    const found = await this.json<Resource[] | { items: Resource[] }>('GET', `/resources?kind=${kind}${namespace ? `&namespace=${namespace}` : ''}`);
    return Array.isArray(found) ? found : found.items;
  }

  async delete(kind: Kind, namespace: string, name: string): Promise<void> {
    await this.checked(await this.request('DELETE', `/resources/${kind}/${namespace}/${name}`));
  }

  async events({ kind, metadata }: Resource): Promise<ResourceEvent[]> {
    const found = await this.json<ResourceEvent[] | { items: ResourceEvent[] }>('GET', `/resources/${kind}/${metadata.namespace}/${metadata.name}/events`);
    return Array.isArray(found) ? found : found.items;
  }

  async log({ kind, metadata }: Resource, stage: string, attempt?: number): Promise<string> {
    const query = new URLSearchParams({ stage, ...(attempt ? { attempt: String(attempt) } : {}) });
    return (await this.checked(await this.request('GET', `/resources/${kind}/${metadata.namespace}/${metadata.name}/logs?${query}`))).text();
  }

  async ready(): Promise<boolean> {
    return fetch(new URL('/readyz', this.url), { signal: AbortSignal.timeout(2_000) }).then((r) => r.ok, () => false);
  }

  private async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    return (await this.checked(await this.request(method, path, body))).json() as Promise<T>;
  }

  private async request(method: string, path: string, body?: unknown): Promise<Response> {
    try {
      return await fetch(new URL(`/api/v1${path}`, this.url), {
        method,
        headers: { ...(body ? { 'content-type': 'application/json' } : {}), ...(this.token ? { authorization: `Bearer ${this.token}` } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
        signal: AbortSignal.timeout(30_000),
      });
    } catch (error) {
      throw new CliError('NoController', `no controller answers at ${this.url} (${(error as Error).message}): start one with \`npm start\`, or name another with --url`);
    }
  }

  private async checked(response: Response): Promise<Response> {
    if (response.ok) return response;
    const text = await response.text();
    let detail = text;
    try {
      const problem = JSON.parse(text) as { detail?: string; title?: string };
      detail = problem.detail ?? problem.title ?? text;
    } catch {
      // Not a problem document: the text is what there is.
    }
    throw new CliError(response.status === 404 ? 'NotFound' : 'Refused', detail || `the controller answered ${response.status}`);
  }
}
