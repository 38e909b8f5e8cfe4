import { describe, expect, it } from '@jest/globals';
import { canonicalCidr, networkAround, Networks } from '../../../src/modes/api-keys/networks.js';

describe('networks', () => {
  it.each([
    ['192.0.2.7', '192.0.2.0/24'],
    ['::ffff:192.0.2.7', '192.0.2.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['fe80::1%eth0', 'fe80::/48'],
    ['::1', '::/48'],
    ['no address', undefined],
    ['', undefined],
    ['192.0.2', undefined],
  ])('have %s in %s', (address, network) => {
    expect(networkAround(address)).toBe(network);
  });

  it('have an address whatever its zone, and nothing that is no address', () => {
    const networks = new Networks(['fe80::/10', '10.0.0.0/8']);
    const asked = ['fe80::1%eth0', '10.1.2.3', '::ffff:10.1.2.3', '10.1', '010.0.0.1', '', 'fe00::1'];
    expect(asked.map((address) => networks.has(address))).toEqual([
      ...Array(3).fill(true),
      ...Array(4).fill(false),
    ]);
  });

  it('are everywhere or nowhere at their extremes', () => {
    expect(new Networks(['0.0.0.0/0', '::/0']).has('203.0.113.1')).toBe(true);
    expect(new Networks(['::/0']).has('::ffff:203.0.113.1')).toBe(false);
    expect(new Networks([]).has('203.0.113.1')).toBe(false);
  });

  it('are none of the addresses that are compatible to IPv4, which nobody has', () => {
    for (const text of ['::192.0.2.1', '::192.0.2.0/120', '::c000:201', '::2c77:8000/117'])
      expect([text, canonicalCidr(text)]).toEqual([text, undefined]);
    expect(['::', '::1', '::/96'].map(canonicalCidr)).toEqual(['::/128', '::1/128', '::/96']);
    expect(new Networks(['192.0.2.0/24', '::/0']).has('::192.0.2.1')).toBe(false);
    expect(networkAround('::192.0.2.1')).toBeUndefined();
  });

  it('keep one spelling, which PostgreSQL has too', () => {
    const spelled = [
      '10.0.0.0/8',
      '2001:DB8:0:0::/32',
      '::FFFF:10.0.0.0/104',
      '::ffff:0:0/96',
      '::/0',
      '::/64',
    ];
    expect(spelled.map(canonicalCidr)).toEqual([
      '10.0.0.0/8',
      '2001:db8::/32',
      '10.0.0.0/8',
      '0.0.0.0/0',
      '::/0',
      '::/64',
    ]);
  });
});
