import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { InferenceEnv } from '../inference.env.js';
import { InferenceError } from '../inference.error.js';
import { CARICATURIST_LOADER, INFERENCE_ENV, MODEL_REGISTRY } from '../inference.tokens.js';
import { InferenceMetrics } from '../metrics/inference.metrics.js';
import type { CaricaturistLoader } from './caricaturist.port.js';
import { formatModelName, parseModelName } from './model-name.js';
import type { ModelName } from './model-name.js';
import type { ModelRegistry } from './model-registry.port.js';
import { ServedModel } from './served-model.js';

/** More models than these are not kept in memory: the one asked for longest ago goes. */
const MAX_MODELS = 4;

/**
 * The models in memory. It asks the registry every few seconds for the versions of those it serves; a new version takes
 * over when it is loaded, and until then, or when it cannot be loaded, the old one answers.
 */
@Injectable()
export class ModelStore implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(ModelStore.name);
  /** By name@alias, the one asked for longest ago first. */
  private readonly served = new Map<string, ServedModel>();
  private readonly loading = new Map<string, Promise<ServedModel>>();
  private readonly troubles = new Map<string, string>();
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    @Inject(INFERENCE_ENV) private readonly env: InferenceEnv,
    @Inject(MODEL_REGISTRY) private readonly registry: ModelRegistry,
    @Inject(CARICATURIST_LOADER) private readonly load: CaricaturistLoader,
    private readonly metrics: InferenceMetrics,
  ) {}

  onApplicationBootstrap(): void {
    void this.poll();
  }

  onApplicationShutdown(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    for (const model of this.served.values()) model.retire();
    this.served.clear();
  }

  /** The model of a client's `name@alias`, loaded if need be; the default one without a name. */
  async getModel(text?: string): Promise<ServedModel> {
    const name = parseModelName(text, this.env.MODEL);
    const label = formatModelName(name);
    const model = this.served.get(label) ?? (await this.refreshOnce(name));
    this.keep(label, model);
    return model;
  }

  private async poll(): Promise<void> {
    const labels = new Set([this.env.MODEL, ...this.served.keys()]);
    for (const label of labels) await this.refreshQuietly(label);
    if (!this.stopped) this.timer = setTimeout(() => void this.poll(), this.env.MODELS_POLL_SECONDS * 1000);
  }

  private async refreshQuietly(label: string): Promise<void> {
    try {
      await this.refreshOnce(parseModelName(label, this.env.MODEL));
      this.troubles.delete(label);
    } catch (error) {
      if (error instanceof InferenceError && error.code === 'ModelNotFound') this.forget(label);
      this.warnOnce(label, (error as Error).message);
    }
  }

  /** The same trouble at every poll is told once. */
  private warnOnce(label: string, message: string): void {
    if (this.troubles.get(label) === message) return;
    this.troubles.set(label, message);
    this.logger.warn(message);
  }

  private refreshOnce(name: ModelName): Promise<ServedModel> {
    const label = formatModelName(name);
    const running = this.loading.get(label);
    if (running) return running;
    const refreshing = this.refresh(name, label).finally(() => this.loading.delete(label));
    this.loading.set(label, refreshing);
    return refreshing;
  }

  private async refresh({ name, alias }: ModelName, label: string): Promise<ServedModel> {
    const { version, folder } = await this.registry.resolve(name, alias);
    const current = this.served.get(label);
    if (current?.version === version) return current;
    const caricaturist = await this.load(folder).catch((cause: Error) => {
      throw new InferenceError('ModelUnavailable', `Version ${version} of ${label} cannot be loaded (${cause.message}).`, { cause });
    });
    const model = new ServedModel({
      label,
      version,
      caricaturist,
      maxBatch: this.env.MAX_BATCH,
      onBatch: (size) => this.metrics.batchSize.observe({ model: label }, size),
    });
    if (this.stopped) model.retire();
    else this.served.set(label, model);
    current?.retire();
    this.logger.log(`Serving ${label}, version ${version}`);
    return model;
  }

  /** Marks a model as just asked for, and lets the one asked for longest ago go when there are too many. */
  private keep(label: string, model: ServedModel): void {
    if (this.served.get(label) !== model) return;
    this.served.delete(label);
    this.served.set(label, model);
    const oldest = [...this.served.keys()].find((other) => other !== this.env.MODEL);
    if (this.served.size > MAX_MODELS && oldest !== undefined) this.forget(oldest);
  }

  private forget(label: string): void {
    this.served.get(label)?.retire();
    this.served.delete(label);
  }
}
