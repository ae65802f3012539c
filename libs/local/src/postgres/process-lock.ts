import { createHash } from 'node:crypto';
import { createServer } from 'node:net';

/** Something that only one process at a time holds, until it lets go or dies. */
export interface ProcessLock {
  release(): Promise<void>;
}

/**
 * Takes the lock named `name`, or gives undefined when another process has it.
 * It is a listening socket in Linux' abstract namespace: the kernel frees it however the process ends, so it is never stale.
 */
export function takeProcessLock(name: string): Promise<ProcessLock | undefined> {
  const address = `\0caricature-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(address, () => {
      server.unref(); // holding the lock is no reason to stay alive
      resolve({ release: () => new Promise((done) => server.close(() => done())) });
    });
  });
}
