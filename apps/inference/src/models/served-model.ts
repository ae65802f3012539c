import { Batcher } from '../batching/batcher.js';
import type { Caricaturist } from './caricaturist.port.js';

export interface ServedModelOptions {
  /** name@alias */
  label: string;
  version: string;
  caricaturist: Caricaturist;
  maxBatch: number;
  onBatch(size: number): void;
}

const BATCH_DELAY_MS = 5;

/** One version of a model at work: faces that come together are drawn together. */
export class ServedModel {
  readonly label: string;
  readonly version: string;
  readonly imageSize: number;
  readonly margin: number;
  private readonly batcher: Batcher<Uint8Array, Uint8Array>;
  private users = 0;
  private retired = false;

  constructor(private readonly options: ServedModelOptions) {
    const { caricaturist, maxBatch } = options;
    this.label = options.label;
    this.version = options.version;
    this.imageSize = caricaturist.imageSize;
    this.margin = caricaturist.margin;
    this.batcher = new Batcher({
      maxBatch,
      delayMs: BATCH_DELAY_MS,
      run: (faces) => {
        options.onBatch(faces.length);
        return caricaturist.draw(faces);
      },
    });
  }

  /** Keeps the model in memory while `work` is on, even when a newer version takes its place meanwhile. */
  async use<Result>(work: (model: ServedModel) => Promise<Result>): Promise<Result> {
    this.users += 1;
    try {
      return await work(this);
    } finally {
      this.users -= 1;
      this.disposeWhenIdle();
    }
  }

  /** A face (imageSize, imageSize, 3) uint8 → its caricature, alike. */
  draw(face: Uint8Array): Promise<Uint8Array> {
    return this.batcher.submit(face);
  }

  /** Frees the model's memory once nobody uses it any more. */
  retire(): void {
    this.retired = true;
    this.disposeWhenIdle();
  }

  private disposeWhenIdle(): void {
    if (!this.retired || this.users > 0) return;
    this.users = Infinity;
    this.options.caricaturist.dispose();
  }
}
