import { workerData } from 'node:worker_threads';
import { Dataset } from '@caricature/tensors';
import { makeBatchImages } from './batch-images.js';
import type { PreparedAnswer, PreparedRequest, ThreadData } from './prepared-images.js';

// Makes the images of batches as they are asked for, and wakes the main thread, which does not look at its events while a step computes.
const { folder, options, port, made } = workerData as ThreadData;
// Whoever needs images that cannot be made here makes them, and meets the error.
const dataset = await Dataset.open(folder).catch(() => undefined);
port.on('message', ({ id, request }: PreparedRequest) => {
  const answer: PreparedAnswer = { id };
  try {
    if (dataset) answer.values = makeBatchImages(dataset, request, options);
  } catch {
    // As above.
  }
  port.postMessage(answer, answer.values ? [answer.values.buffer as ArrayBuffer] : []);
  Atomics.store(made, 0, id);
  Atomics.notify(made, 0);
});
