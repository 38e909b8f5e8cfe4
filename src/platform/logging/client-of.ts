import { isIP, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Identifies a client by its IPv4 address (also IPv4-mapped), or by the /64 network of its IPv6 address. */
export function clientOf(address: string): string {
  // All invalid addresses of a proxy share one limit.
  if (isIP(address) === 0) return 'unknown';
  if (!isIPv6(address)) return address;
  const parsed = ipaddr.process(address.split('%')[0]!);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/64`).toString()}/64`;
}
