import { existsSync } from 'node:fs';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { Dataset } from '@caricature/tensors';
import { tf, type Tensor4D } from '../backend/tensorflow.js';
import { type BatchImagesOptions, type BatchImagesRequest, makeBatchImages } from './batch-images.js';

export interface ThreadData {
  folder: string;
  options: BatchImagesOptions;
  port: MessagePort;
  /** The id of the last request that was answered; waited for by Atomics. */
  made: Int32Array;
}
export interface PreparedRequest {
  id: number;
  request: BatchImagesRequest;
}
export interface PreparedAnswer {
  id: number;
  /** Undefined when they could not be made. */
  values?: Float32Array;
}

const THREAD = new URL('./batch-images.thread.js', import.meta.url);
/** A thread that has not made a batch by then is taken for dead. */
const PATIENCE_MS = 10_000;

/** A data set's images as batches, the next one made by a thread of its own while a step computes. */
export class PreparedImages {
  private readonly made = new Int32Array(new SharedArrayBuffer(4));
  private readonly port: MessagePort;
  /** Undefined where there is none: sources that were not compiled, or one that ended. */
  private thread: Worker | undefined;
  private asked: PreparedRequest = { id: 0, request: { indices: new Int32Array(), step: -1 } };

  constructor(
    private readonly dataset: Dataset,
    private readonly options: BatchImagesOptions,
  ) {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.port.unref();
    if (!existsSync(THREAD)) return;
    const workerData: ThreadData = { folder: dataset.folder, options, port: port2, made: this.made };
    this.thread = new Worker(THREAD, { workerData, transferList: [port2] });
    this.thread.unref();
    this.thread.on('error', () => (this.thread = undefined));
  }

  /** The images of a batch [B, H, W, C]: those that were prepared, if they were. */
  take(indices: Int32Array, step: number): Tensor4D {
    const values = this.receive(indices, step) ?? makeBatchImages(this.dataset, { indices, step }, this.options);
    return tf.tensor4d(values, [indices.length, ...this.dataset.shape]);
  }

  /** Has the images of a batch made, which is likely to be the next that is taken. */
  prepare(indices: Int32Array, step: number): void {
    if (!this.thread) return;
    // A copy: of the view of an epoch's order the whole order would be sent.
    this.asked = { id: this.asked.id + 1, request: { indices: indices.slice(), step } };
    this.port.postMessage(this.asked);
  }

  dispose(): void {
    this.port.close();
    void this.thread?.terminate();
    this.thread = undefined;
  }

  private receive(indices: Int32Array, step: number): Float32Array | undefined {
    const { id, request } = this.asked;
    if (!this.thread || request.step !== step || request.indices.join() !== indices.join()) return undefined;
    for (let made = this.made[0]!; (made = Atomics.load(this.made, 0)) < id; ) {
      if (Atomics.wait(this.made, 0, made, PATIENCE_MS) === 'timed-out') this.dispose();
      if (!this.thread) return undefined;
    }
    for (;;) {
      const answer = receiveMessageOnPort(this.port) as { message: PreparedAnswer } | undefined;
      if (!answer || answer.message.id === id) return answer?.message.values;
    }
  }
}
