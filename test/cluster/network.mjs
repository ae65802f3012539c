// The cluster's network: a namespace of its own, joined to this machine by one link. The machine reaches the API server, pods and Services
// by their addresses; nothing else of its network changes, and all of it goes with the namespace.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const FIRST = 224;
const COUNT = 16;

/**
 * Addresses that no route of this machine touches: 10.N.0.0/16, cut into pods, Services and the link.
 * @returns {Promise<{whole: string, pods: string, services: string, host: string, node: string, link: string}>}
 */
export async function pickNetwork() {
  const { stdout } = await run('ip', ['-json', 'route', 'show', 'table', 'all']);
  const taken = new Set(JSON.parse(stdout).map(({ dst }) => /^(?:local |broadcast )?10\.(\d+)\./.exec(dst)?.[1]));
  for (let n = FIRST; n < FIRST + COUNT; n++) {
    if (taken.has(String(n))) continue;
    return { whole: `10.${n}.0.0/16`, pods: `10.${n}.0.0/17`, services: `10.${n}.128.0/18`, host: `10.${n}.255.1`, node: `10.${n}.255.2`, link: `cluster${n}` };
  }
  throw new Error(`no free network: each of 10.${FIRST}.0.0/16 to 10.${FIRST + COUNT - 1}.0.0/16 has a route here (ip route show table all)`);
}

/** Joins the network namespace of process `pid` to this machine. */
export async function joinNetwork({ whole, host, node, link }, pid) {
  const ip = (...args) => run('ip', args);
  const inside = (...args) => run('nsenter', ['--target', String(pid), '--net', 'ip', ...args]);
  await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid));
  await ip('address', 'add', `${host}/30`, 'dev', link);
  await ip('link', 'set', link, 'up');
  await inside('link', 'set', 'lo', 'up');
  await inside('address', 'add', `${node}/30`, 'dev', 'eth0');
  await inside('link', 'set', 'eth0', 'up');
  await inside('route', 'add', 'default', 'via', host);
  await ip('route', 'add', whole, 'via', node, 'dev', link);
}
