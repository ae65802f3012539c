import { randomInt } from 'node:crypto';
import net from 'node:net';

/**
 * Ports of 127.0.0.1 that nothing listens on. From below the range that the kernel picks from for outgoing connections, so that none of
 * them is taken between now and the moment that it is listened on.
 * @param {number} count
 * @returns {Promise<number[]>}
 */
export async function pickPorts(count) {
  const ports = new Set();
  while (ports.size < count) {
    const port = randomInt(20_000, 32_000);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
