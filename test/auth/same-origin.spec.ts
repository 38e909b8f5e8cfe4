import { describe, expect, it } from '@jest/globals';
import type { FastifyRequest } from 'fastify';
import { foreignOrigin } from '../../src/auth/same-origin.js';

const ALLOWED = ['https://app.example.com'];

const reasonFor = (headers: Record<string, string>, protocol = 'https') =>
  foreignOrigin(
    { protocol, headers: { host: 'api.example.com:8443', ...headers } } as unknown as FastifyRequest,
    ALLOWED,
  );

describe('foreignOrigin', () => {
  it.each([
    ['neither header, as curl', {}],
    ['the host of the request', { origin: 'https://api.example.com:8443' }],
    ['an origin that the configuration names', { origin: 'https://app.example.com' }],
    [
      'an origin that the configuration names, from its other site',
      { origin: 'https://app.example.com', 'sec-fetch-site': 'cross-site' },
    ],
    ['the same origin, as the browser says', { 'sec-fetch-site': 'same-origin' }],
    ['the address bar', { 'sec-fetch-site': 'none' }],
    ['both', { origin: 'https://api.example.com:8443', 'sec-fetch-site': 'same-origin' }],
  ])('accepts %s', (_, headers) => {
    expect(reasonFor(headers)).toBeUndefined();
  });

  it.each([
    ['https', 'api.example.com', 'https://api.example.com'],
    ['https', 'api.example.com:443', 'https://api.example.com'],
    ['https', 'API.Example.COM:443', 'https://api.example.com'],
    ['https', 'API.Example.COM:8443', 'https://api.example.com:8443'],
    ['http', 'api.example.com:80', 'http://api.example.com'],
    ['http', 'localhost:3000', 'http://localhost:3000'],
    ['http', '[::1]:3000', 'http://[::1]:3000'],
    ['https', '[2001:DB8::1]:443', 'https://[2001:db8::1]'],
  ])('takes %s and the Host %s for %s', (protocol, host, origin) => {
    expect(reasonFor({ host, origin }, protocol)).toBeUndefined();
  });

  it.each([
    ['http', 'api.example.com', 'https://api.example.com'],
    ['https', 'api.example.com', 'http://api.example.com'],
    ['https', 'api.example.com:80', 'https://api.example.com'],
    ['http', 'api.example.com:443', 'http://api.example.com'],
    ['https', 'api.example.com', 'https://api.example.com:443'],
    ['https', 'api.example.com', 'https://api.example.com/'],
    ['https', 'evil.example.com', 'https://api.example.com'],
    ['https', '', 'https://api.example.com'],
    ['https', '', 'null'],
    // Made up by a proxy that passes on what it was sent: such a URL has no origin, which is written `null`.
    ['data', 'api.example.com', 'null'],
    ['', 'api.example.com', 'null'],
  ])('does not take %s and the Host %s for %s', (protocol, host, origin) => {
    expect(reasonFor({ host, origin }, protocol)).toBe('foreign Origin');
  });

  it.each([
    'https://evil.example',
    'http://api.example.com:8443',
    'https://api.example.com',
    'https://api.example.com:8444',
    'https://api.example.com.evil.example:8443',
    'https://evil-api.example.com:8443',
    'https://sub.api.example.com:8443',
    // Named with https and without a port: nothing else is meant.
    'http://app.example.com',
    'https://app.example.com:444',
    'https://app.example.com.evil.example',
    'null',
    '',
    'api.example.com:8443',
    'https://api.example.com:8443, https://evil.example',
  ])('refuses the Origin %j', (origin) => {
    expect(reasonFor({ origin })).toBe('foreign Origin');
  });

  it.each(['cross-site', 'same-site'])('[V3.5.8] refuses Sec-Fetch-Site: %s', (site) => {
    expect(reasonFor({ 'sec-fetch-site': site })).toBe(`Sec-Fetch-Site: ${site}`);
  });

  it('refuses an unknown Sec-Fetch-Site without repeating it', () => {
    expect(reasonFor({ 'sec-fetch-site': 'made up' })).toBe('unknown Sec-Fetch-Site');
  });

  it('refuses Sec-Fetch-Site: cross-site beside an Origin that is right', () => {
    const headers = { origin: 'https://api.example.com:8443', 'sec-fetch-site': 'cross-site' };
    expect(reasonFor(headers)).toBe('Sec-Fetch-Site: cross-site');
  });

  it('refuses an Origin if the request has no Host', () => {
    const request = {
      protocol: 'https',
      headers: { origin: 'https://api.example.com' },
    } as unknown as FastifyRequest;
    expect(foreignOrigin(request, [])).toBe('foreign Origin');
  });
});
