import { existsSync } from 'node:fs';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { BatchSampler, Dataset } from '@caricature/tensors';
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
  /** Undefined where there is none: sources that were not compiled, or one that ended. */
  private maker: { thread: Worker; port: MessagePort } | undefined;
  private asked: PreparedRequest = { id: 0, request: { indices: new Int32Array(), step: -1 } };

  constructor(
    private readonly dataset: Dataset,
    private readonly options: BatchImagesOptions,
  ) {
    if (!existsSync(THREAD)) return;
    const { port1, port2 } = new MessageChannel();
    const workerData: ThreadData = { folder: dataset.folder, options, port: port2, made: this.made };
    const thread = new Worker(THREAD, { workerData, transferList: [port2] });
    thread.on('error', () => this.dispose());
    // Neither is waited for when the program ends.
    thread.unref();
    port1.unref();
    this.maker = { thread, port: port1 };
  }

  /**
   * A sampler's next batch: places in the data set, and the images there [B, H, W, C]. The batch after it is prepared.
   * @param places where what is sampled is in the data set; as numbered, unless told
   */
  next(sampler: BatchSampler, step: number, places?: Int32Array): { indices: Int32Array; images: Tensor4D } {
    const placed = (batch: Int32Array) => (places ? batch.map((i) => places[i]!) : batch);
    const indices = placed(sampler.next());
    const images = this.take(indices, step);
    this.prepare(placed(sampler.peek()), step + 1);
    return { indices, images };
  }

  /** The images of a batch [B, H, W, C]: those that were prepared, if they were. */
  take(indices: Int32Array, step: number): Tensor4D {
    const values = this.receive(indices, step) ?? makeBatchImages(this.dataset, { indices, step }, this.options);
    return tf.tensor4d(values, [indices.length, ...this.dataset.shape]);
  }

  /** Has the images of a batch made, which is likely to be the next that is taken. */
  prepare(indices: Int32Array, step: number): void {
    // A copy: of the view of an epoch's order the whole order would be sent.
    this.asked = { id: this.asked.id + 1, request: { indices: indices.slice(), step } };
    this.maker?.port.postMessage(this.asked);
  }

  dispose(): void {
    this.maker?.port.close();
    void this.maker?.thread.terminate();
    this.maker = undefined;
  }

  private receive(indices: Int32Array, step: number): Float32Array | undefined {
    const { id, request } = this.asked;
    if (!this.maker || request.step !== step || request.indices.join() !== indices.join()) return undefined;
    for (let made; (made = Atomics.load(this.made, 0)) < id; ) {
      if (Atomics.wait(this.made, 0, made, PATIENCE_MS) !== 'timed-out') continue;
      this.dispose();
      return undefined;
    }
    for (;;) {
      const answer = receiveMessageOnPort(this.maker.port) as { message: PreparedAnswer } | undefined;
      if (!answer || answer.message.id === id) return answer?.message.values;
    }
  }
}
