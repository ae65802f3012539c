import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import type { ReportItem } from '@caricature/contracts';
import { ReportSender, type ReportSenderOptions } from './report-sender.js';

/** What the main thread asks for: the answer goes to `port`, or the message of what failed. */
export type ReporterRequest = { add: ReportItem } | { ask: 'unsent' | 'flush' | 'close'; port: MessagePort };

// A training step keeps the main thread busy for most of a second, and sending a report takes many turns of an event loop: it has one of
// its own here.
const sender = new ReportSender({ ...(workerData as ReportSenderOptions), log: (line) => console.log(line), onSuperseded: () => parentPort!.postMessage('superseded') });
await sender.start();
parentPort!.on('message', async (request: ReporterRequest) => {
  if ('add' in request) return sender.add(request.add);
  const { ask, port } = request;
  port.postMessage(await Promise.resolve(sender[ask]()).then((value) => ({ value }), (error: Error) => ({ failure: error.message })));
  if (ask === 'close') parentPort!.close();
});
