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

/** How long to go on asking a controller that does not answer, or that failed: every request here may be repeated. */
export interface Patience {
  patienceMs: number;
  signal: AbortSignal;
}

const ASK_AGAIN_MS = 300;

/** The controller's HTTP API, as the commands use it. */
export class ControllerClient {
  constructor(
    private readonly url: string,
    private readonly token: string | undefined,
    private readonly patience?: Patience,
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

  private async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    return (await this.checked(await this.request(method, path, body))).json() as Promise<T>;
  }

  private async request(method: string, path: string, body?: unknown): Promise<Response> {
    const deadline = Date.now() + (this.patience?.patienceMs ?? 0);
    for (;;) {
      const answer = await this.requestOnce(method, path, body).catch((error: CliError) => error);
      const failed = answer instanceof CliError || answer.status >= 500;
      if (failed && Date.now() < deadline) {
        this.patience?.signal.throwIfAborted();
        await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
      } else if (answer instanceof CliError) throw answer;
      else return answer;
    }
  }

  private async requestOnce(method: string, path: string, body?: unknown): Promise<Response> {
    try {
      return await fetch(new URL(`/api/v1${path}`, this.url), {
        method,
        headers: { ...(body ? { 'content-type': 'application/json' } : {}), ...(this.token ? { authorization: `Bearer ${this.token}` } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
        signal: AbortSignal.timeout(30_000),
      });
    } catch (error) {
      throw new CliError('NoController', `no controller answers at ${this.url} (${whyOf(error as Error)}): start one with \`npm start\`, or name another with --url`);
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
    const code = response.status === 404 ? 'NotFound' : response.status >= 500 ? 'ControllerFailed' : 'Refused';
    throw new CliError(code, detail || `the controller answered ${response.status}`);
  }
}

/** "fetch failed" alone says nothing: its cause does. */
function whyOf(error: Error): string {
  const { cause } = error;
  return cause instanceof Error && cause.message !== '' ? cause.message : ((cause as { code?: string } | undefined)?.code ?? error.message);
}
