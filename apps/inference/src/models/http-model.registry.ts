import { createArtifactStore, materializeArtifact } from '@caricature/artifacts';
import { z } from 'zod';
import { InferenceError } from '../inference.error.js';
import type { ModelRegistry, ResolvedModel } from './model-registry.port.js';

const TIMEOUT_MS = 5000;

const aliasResponse = z.object({ version: z.union([z.string(), z.number()]).transform(String), artifactUri: z.string().min(1) });

export interface HttpModelRegistryOptions {
  controllerUrl: string;
  token?: string | undefined;
  /** Root for artifact URIs that are only `<stage>/<key>`. */
  artifactsUri?: string | undefined;
  cacheDir: string;
}

/** Asks the controller's API which version an alias points at, and gets its files out of the artifact store. */
export class HttpModelRegistry implements ModelRegistry {
  /** Artifact URI → local folder: a published artifact never changes. */
  private readonly folders = new Map<string, string>();

  constructor(private readonly options: HttpModelRegistryOptions) {}

  async resolve(name: string, alias: string): Promise<ResolvedModel> {
    const { version, artifactUri } = await this.ask(name, alias);
    const folder = this.folders.get(artifactUri) ?? (await this.materialize(artifactUri));
    this.folders.set(artifactUri, folder);
    return { version, folder };
  }

  private async ask(name: string, alias: string): Promise<z.output<typeof aliasResponse>> {
    const { controllerUrl, token } = this.options;
    const url = new URL(`api/v1/models/${encodeURIComponent(name)}/aliases/${encodeURIComponent(alias)}`, `${controllerUrl}/`);
    const headers = new Headers(token === undefined ? [] : [['authorization', `Bearer ${token}`]]);
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(unavailable(`The controller at ${controllerUrl} does not answer`));
    if (response.status === 404) {
      throw new InferenceError('ModelNotFound', `No version of ${name} has the alias ${alias}; publish one, or ask for a model that is.`);
    }
    if (!response.ok) throw new InferenceError('ModelUnavailable', `The controller answered ${response.status} when asked for ${name}@${alias}.`);
    const body = await response.json().then(aliasResponse.parse).catch(unavailable(`The controller's answer for ${name}@${alias} cannot be read`));
    return body;
  }

  private async materialize(artifactUri: string): Promise<string> {
    const { root, stage, key } = this.locate(artifactUri);
    try {
      return await materializeArtifact(createArtifactStore(root), { stage, key }, this.options.cacheDir);
    } catch (error) {
      return unavailable(`The model's files at ${artifactUri} cannot be had`)(error);
    }
  }

  /** `<root>/<stage>/<key>`, or `<stage>/<key>` below the root that the environment gives. */
  private locate(artifactUri: string): { root: string; stage: string; key: string } {
    const parts = artifactUri.replace(/\/+$/, '').split('/');
    const [stage, key] = parts.splice(-2);
    const root = parts.length > 0 ? parts.join('/') : this.options.artifactsUri;
    if (!stage || !key || !root) {
      throw new InferenceError('ModelUnavailable', `The artifact ${artifactUri} has no root; set ARTIFACTS_URI to that of the controller.`);
    }
    return { root, stage, key };
  }
}

function unavailable(what: string): (cause: unknown) => never {
  return (cause) => {
    throw new InferenceError('ModelUnavailable', `${what} (${cause instanceof Error ? cause.message : String(cause)}).`, { cause });
  };
}
