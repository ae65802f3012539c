import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isForbiddenAddress, isInternalAddress, isLoopbackAddress, literalAddress } from '../address.js';
import { RequestFailure, type Middleware } from '../request.js';

/** A name led to an address that it must not. */
export class HostGuardError extends Error {}

const NEVER_A_SOURCE = 'an address that no avatar source has';

export interface HostGuardOptions {
  /** The URLs that the resource itself names; only their hosts are asked. */
  named: readonly URL[];
  /** Host names, or `*.suffix`, that the operator lets lead to internal addresses. */
  internalHosts?: readonly string[];
  lookup?: LookupFunction;
}

/**
 * Refuses every request to a host and port that the resource does not name. An https version of a named http host passes.
 */
export function hostGuard(options: HostGuardOptions): Middleware {
  return (next) => async (request) => {
    const reason = refusal(request.url, options);
    if (reason !== undefined) throw new RequestFailure('host', `${request.url.origin} is refused: ${reason}`);
    return next(request);
  };
}

/**
 * DNS for the transport: the addresses of the very connection are looked at, so an answer that changes between a check and
 * its use gains nothing.
 */
export function createGuardedLookup({ internalHosts = [], lookup = systemLookup as LookupFunction }: HostGuardOptions): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, answer) => {
      if (error) return callback(error, '', 0);
      const addresses = answer as unknown as LookupAddress[];
      const bad = addresses.find(({ address }) => !mayResolveTo(hostname, address, internalHosts));
      if (bad) return callback(new HostGuardError(`${hostname} leads to ${bad.address}, ${advise(bad.address, internalHosts)}`), '', 0);
      if (options.all) return callback(null, addresses as never);
      const [first] = addresses;
      return first ? callback(null, first.address, first.family) : callback(new HostGuardError(`${hostname} has no address`), '', 0);
    });
  };
}

function refusal(url: URL, { named, internalHosts = [] }: HostGuardOptions): string | undefined {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'only http and https are spoken';
  if (url.username !== '' || url.password !== '') return 'credentials in a URL are not sent';
  if (!named.some((one) => sameHost(one, url))) return `the resource names only ${[...new Set(named.map(({ host }) => host))].join(', ')}`;
  const address = literalAddress(url.hostname);
  if (address !== undefined && isForbiddenAddress(address) && !isListed(address, internalHosts)) return `it is ${NEVER_A_SOURCE}`;
  return undefined;
}

function sameHost(named: URL, url: URL): boolean {
  if (named.hostname !== url.hostname) return false;
  const upgraded = named.protocol === 'http:' && named.port === '' && url.protocol === 'https:' && url.port === '';
  return upgraded || (named.protocol === url.protocol && named.port === url.port);
}

function mayResolveTo(hostname: string, address: string, internalHosts: readonly string[]): boolean {
  if (isListed(hostname, internalHosts)) return true;
  if (isLoopbackAddress(address)) return hostname === 'localhost' || hostname.endsWith('.localhost');
  return !isInternalAddress(address);
}

function isListed(hostname: string, list: readonly string[]): boolean {
  return list.some((entry) => (entry.startsWith('*.') ? hostname.endsWith(entry.slice(1)) : hostname === entry));
}

function advise(address: string, internalHosts: readonly string[]): string {
  if (isForbiddenAddress(address)) return NEVER_A_SOURCE;
  return `an internal address: name the source by that address${internalHosts.length > 0 ? `, or as ${internalHosts.join(' or ')}` : ''}`;
}
