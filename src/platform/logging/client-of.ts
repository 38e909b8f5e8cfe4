import { isIP, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** One client: an address of IPv4, also mapped into IPv6, or the /64 that everybody with IPv6 has to themselves. */
export function clientOf(address: string): string {
  // What a proxy says that is no address is told apart by nobody: it has one limit, and no way around it.
  if (isIP(address) === 0) return 'unknown';
  if (!isIPv6(address)) return address;
  const parsed = ipaddr.process(address.split('%')[0]!);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/64`).toString()}/64`;
}
