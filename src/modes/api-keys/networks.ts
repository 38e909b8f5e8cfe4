import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** The length of the prefix of an IPv4-mapped address (`::ffff:192.0.2.1`, RFC 4291 section 2.5.5.2). */
const MAPPED_BITS = 96;
const MAPPED = ipaddr.IPv6.parseCIDR('::ffff:0:0/96');
/**
 * IPv4-compatible addresses (`::192.0.2.1`) are deprecated (RFC 4291 section 2.5.5.1) and never match a client address.
 * They are refused, because ipaddr.js reads and writes them differently from PostgreSQL.
 */
const COMPATIBLE = ipaddr.IPv6.parseCIDR('::/96');
const WRITTEN_COMPATIBLE = /^::\d+\./;
const NEIGHBOURHOOD = { ipv4: 24, ipv6: 48 } as const;

/** Parses a client address. A mapped address becomes IPv4, and the zone is removed. Undefined if it is not an address. */
function parseAddress(text: string): Address | undefined {
  // isIP, because ipaddr.js also accepts octal and shortened forms, which are ambiguous.
  return isIP(text) === 0 || WRITTEN_COMPATIBLE.test(text) ? undefined : ipaddr.process(text.split('%')[0]!);
}

/**
 * Returns the canonical form of a network, such as `192.0.2.0/24` or `2001:db8::/32`. An address is a network of one.
 * Returns undefined if the text is not a network, or if host bits are set.
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

/** The unspecified and the loopback address are not IPv4-compatible ones. */
const isCompatible = (address: Address): boolean =>
  address instanceof ipaddr.IPv6 && address.match(COMPATIBLE) && !['::', '::1'].includes(address.toString());

const firstOf = (cidr: string): string =>
  (cidr.includes(':')
    ? ipaddr.IPv6.networkAddressFromCIDR(cidr)
    : ipaddr.IPv4.networkAddressFromCIDR(cidr)
  ).toString();

/** The network of a client address: /24, or /48 for IPv6. One client usually stays in it. Undefined if it is not an address. */
export function networkAround(address: string): string | undefined {
  const parsed = parseAddress(address);
  if (!parsed) return undefined;
  const bits = NEIGHBOURHOOD[parsed.kind()];
  return `${firstOf(`${parsed.toString()}/${bits}`)}/${bits}`;
}

/** The networks that a key can be used from. */
export class Networks {
  readonly #ranges: [Address, number][];

  /** @param cidrs in canonical form */
  constructor(cidrs: readonly string[]) {
    this.#ranges = cidrs.map((cidr) => ipaddr.parseCIDR(cidr));
  }

  /** Whether an address is in one of the networks. */
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
