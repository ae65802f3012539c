import { BlockList, isIP, isIPv4 } from 'node:net';

function blockList(entries: string): BlockList {
  const list = new BlockList();
  for (const entry of entries.split(' ')) {
    const [net = '', bits] = entry.split('/');
    list.addSubnet(net, Number(bits), isIPv4(net) ? 'ipv4' : 'ipv6');
  }
  return list;
}

/** Addresses that no name outside should lead to: private, shared, documentation, reserved and multicast ranges. */
const INTERNAL = blockList(
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 ' +
    '::/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8',
);
/** Addresses that cannot be an avatar source even when a resource names them; clouds keep credentials at link-local ones. */
const NEVER = blockList('0.0.0.0/8 169.254.0.0/16 224.0.0.0/4 240.0.0.0/4 fe80::/10 ff00::/8 fd00:ec2::254/128');
const LOOPBACK = blockList('127.0.0.0/8 ::1/128');

function holds(list: BlockList, address: string): boolean {
  const mapped = /^::ffff:(?:0*:)?(.+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return holds(list, isIPv4(mapped) ? mapped : fromHex(mapped));
  return list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

function fromHex(pair: string): string {
  const [high = 0, low = 0] = pair.split(':').map((part) => parseInt(part, 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

export const isInternalAddress = (address: string): boolean => holds(INTERNAL, address);
export const isForbiddenAddress = (address: string): boolean => holds(NEVER, address);
export const isLoopbackAddress = (address: string): boolean => holds(LOOPBACK, address);

/** The address that a URL's host name is, without brackets, or undefined for a name. */
export function literalAddress(hostname: string): string | undefined {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return isIP(bare) === 0 ? undefined : bare;
}
