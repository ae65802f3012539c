import { parentPort, workerData } from 'node:worker_threads';
import { ReportSender, type ReportSenderOptions } from './report-sender.js';

// A training step keeps the main thread busy for most of a second, and sending a report takes many turns of an event loop: it has one of
// its own here.
const sender = new ReportSender({ ...(workerData as ReportSenderOptions), log: (line) => console.log(line) });
await sender.start();
parentPort!.on('message', (message) => {
  if (message !== 'close') return sender.add(message);
  sender.close().then(
    () => {
      parentPort!.postMessage('closed');
      parentPort!.close();
    },
    (error: Error) => {
      throw error;
    },
  );
});
