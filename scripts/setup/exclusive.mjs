import { createHash } from 'node:crypto';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `work` while no other process of this machine runs it for the same folder; others wait. The lock is a socket in Linux's
 * abstract namespace: the kernel drops it with its process, so a killed set-up leaves nothing behind to clean up.
 * @template T
 * @param {string} folder
 * @param {() => Promise<T>} work
 * @param {() => void} onWait called once when another process is at work
 * @returns {Promise<T>}
 */
export async function exclusively(folder, work, onWait) {
  const server = await acquire(`\0caricature-setup-${createHash('sha256').update(folder).digest('hex').slice(0, 32)}`, onWait);
  try {
    return await work();
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

async function acquire(name, onWait) {
  for (let tries = 0; ; tries++) {
    const server = await listen(name);
    if (server) return server;
    if (tries === 0) onWait();
    await sleep(200);
  }
}

function listen(name) {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen({ path: name, exclusive: true }, () => resolve(server));
  });
}
