import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** The first bits of a mapped address (`::ffff:192.0.2.1`, RFC 4291 2.5.5.2) before the IPv4 one. */
const MAPPED_BITS = 96;
const MAPPED = ipaddr.IPv6.parseCIDR('::ffff:0:0/96');
/**
 * `::192.0.2.1`, which RFC 4291 2.5.5.1 gave up: the library reads it as mapped, and PostgreSQL writes what is in this
 * network so, where the library does not. Nobody has such an address.
 */
const COMPATIBLE = ipaddr.IPv6.parseCIDR('::/96');
const WRITTEN_COMPATIBLE = /^::\d+\./;
const NEIGHBOURHOOD = { ipv4: 24, ipv6: 48 } as const;

/** An address as Node tells it; IPv4 also where it came mapped into IPv6, and without its zone. Undefined for what is none. */
function parseAddress(text: string): Address | undefined {
  // The library alone takes octal and shortened forms, which others read as other addresses.
  return isIP(text) === 0 || WRITTEN_COMPATIBLE.test(text) ? undefined : ipaddr.process(text.split('%')[0]!);
}

/**
 * A network in its one canonical form, such as `192.0.2.0/24` or `2001:db8::/32`; an address alone is a network of one.
 * Undefined for what is none, and for one with bits set behind its length.
 */
export function canonicalCidr(text: string): string | undefined {
  const [address = '', length, ...rest] = text.split('/');
  if (rest.length > 0 || isIP(address) === 0 || address.includes('%')) return undefined;
  const written = ipaddr.parse(address);
  if (WRITTEN_COMPATIBLE.test(address) || isCompatible(written)) return undefined;
  const longest = written.kind() === 'ipv4' ? 32 : 128;
  if (length !== undefined && !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined;
  const bits = length === undefined ? longest : Number(length);
  if (bits > longest) return undefined;
  const mapped = written instanceof ipaddr.IPv6 && written.match(MAPPED) && bits >= MAPPED_BITS;
  const network = mapped ? written.toIPv4Address() : written;
  const canonical = `${network.toString()}/${mapped ? bits - MAPPED_BITS : bits}`;
  return firstOf(canonical) === network.toString() ? canonical : undefined;
}

/** Unspecified and loopback are addresses of their own. */
const isCompatible = (address: Address): boolean =>
  address instanceof ipaddr.IPv6 && address.match(COMPATIBLE) && !['::', '::1'].includes(address.toString());

const firstOf = (cidr: string): string =>
  (cidr.includes(':')
    ? ipaddr.IPv6.networkAddressFromCIDR(cidr)
    : ipaddr.IPv4.networkAddressFromCIDR(cidr)
  ).toString();

/** The network around an address, wide enough that one client stays in it: /24, or /48 of IPv6. Undefined for no address. */
export function networkAround(address: string): string | undefined {
  const parsed = parseAddress(address);
  if (!parsed) return undefined;
  const bits = NEIGHBOURHOOD[parsed.kind()];
  return `${firstOf(`${parsed.toString()}/${bits}`)}/${bits}`;
}

/** The networks that a key may be used from. */
export class Networks {
  readonly #ranges: [Address, number][];

  /** @param cidrs in their canonical form */
  constructor(cidrs: readonly string[]) {
    this.#ranges = cidrs.map((cidr) => ipaddr.parseCIDR(cidr));
  }

  /** Whether an address lies in one of them. What is no address does not. */
  has(address: string): boolean {
    const parsed = parseAddress(address);
    return (
      parsed !== undefined &&
      this.#ranges.some(
        ([network, bits]) => network.kind() === parsed.kind() && parsed.match([network, bits] as never),
      )
    );
  }
}
