import { describe, expect, it } from '@jest/globals';
import type { FastifyRequest } from 'fastify';
import {
  authorizationScheme,
  authorizationToken,
  cookieValues,
  countHeaders,
} from '../../src/auth/presented-credential.js';

const withHeaders = (headers: Record<string, string>) => ({ headers }) as unknown as FastifyRequest;
const withRawHeaders = (...rawHeaders: string[]) => ({ raw: { rawHeaders } }) as unknown as FastifyRequest;

const CREDENTIAL_HEADERS = new Set(['authorization', 'x-api-key']);

describe('countHeaders', () => {
  it.each([
    [0, ['Host', 'localhost', 'Cookie', '__Host-session=x']],
    [1, ['Host', 'localhost', 'Authorization', 'Bearer x']],
    [1, ['X-API-Key', '']],
    [2, ['Authorization', 'Bearer x', 'X-API-Key', 'x']],
    [2, ['Authorization', 'Bearer x', 'Authorization', 'Bearer x']],
    [2, ['x-api-key', 'x', 'X-API-KEY', 'y']],
    [3, ['AUTHORIZATION', 'x', 'Accept', '*/*', 'authorization', 'y', 'X-Api-Key', 'z']],
  ])('counts %i in %j', (count, headers) => {
    expect(countHeaders(withRawHeaders(...headers), CREDENTIAL_HEADERS)).toBe(count);
  });

  it('takes no value for a name', () => {
    const headers = withRawHeaders('X-Note', 'authorization', 'X-Other', 'x-api-key');
    expect(countHeaders(headers, CREDENTIAL_HEADERS)).toBe(0);
  });
});

describe('authorizationScheme', () => {
  it.each([
    ['Bearer token', 'bearer'],
    ['bEARER token', 'bearer'],
    ['Bearer', 'bearer'],
    ['Bearer   token junk', 'bearer'],
    // Node has removed SP and HTAB around a header. Byte 0xA0, read as latin1, is no white space of HTTP.
    ['\u00a0Bearer token', '\u00a0bearer'],
    ['Bearer\u00a0token', 'bearer\u00a0token'],
    ['ApiKey key', 'apikey'],
    ['', ''],
    // No space, no scheme of ours: it must not be read as one.
    ['Bearer,token', 'bearer,token'],
    ['Bearer\ttoken', 'bearer\ttoken'],
    ['Bearers token', 'bearers'],
  ])('of %j is %j', (authorization, scheme) => {
    expect(authorizationScheme(withHeaders({ authorization }))).toBe(scheme);
  });

  it('is undefined without the header', () => {
    expect(authorizationScheme(withHeaders({}))).toBeUndefined();
  });
});

describe('authorizationToken', () => {
  it.each([
    ['Bearer token', 'token'],
    ['Bearer    token', 'token'],
    ['Bearer', undefined],
    ['Bearer \ttoken', undefined],
    ['Bearer \u00a0token', undefined],
    ['Bearer token\u00a0', undefined],
    ['Bearer token junk', undefined],
    ['Bearer token,junk', undefined],
    ['token', undefined],
  ])('in %j is %j', (authorization, token) => {
    expect(authorizationToken(withHeaders({ authorization }))).toBe(token);
  });

  it('is undefined without the header', () => {
    expect(authorizationToken(withHeaders({}))).toBeUndefined();
  });
});

const valuesIn = (cookie: string) => cookieValues(withHeaders({ cookie }), '__Host-session');

describe('cookieValues', () => {
  it.each([
    ['__Host-session=abc', ['abc']],
    ['theme=dark; __Host-session=abc; lang=en', ['abc']],
    ['theme=dark;__Host-session=abc', ['abc']],
    ['__Host-session=first; __Host-session=second', ['first', 'second']],
    ['__Host-session=', ['']],
    ['__Host-session=a=b', ['a=b']],
    ['\t__Host-session=abc \t; \t theme=dark', ['abc']],
    ['__Host-session=abc\u00a0', ['abc\u00a0']],
    ['__Host-session="quoted"', ['"quoted"']],
    ['__Host-session=%61', ['%61']],
  ])('reads %j as it is: %j', (cookie, values) => {
    expect(valuesIn(cookie)).toEqual(values);
  });

  // A browser guards the prefix `__Host-` only where it is spelled so: no other spelling may count (RFC 6265bis 4.1.3).
  it.each([
    '__host-session=abc',
    '__Host-Session=abc',
    '__Host-session',
    '__Host-session =abc',
    '%5F%5FHost-session=abc',
    'x__Host-session=abc',
    // A sibling host may set these with `Domain`, since the name does not begin with the prefix.
    '\u00a0__Host-session=abc',
    '\u0085__Host-session=abc',
    '\u000b__Host-session=abc',
    '\ufeff__Host-session=abc',
    '__Host-sessions=abc',
    'theme="; __Host-sessio=abc"',
    '=__Host-session=abc',
  ])('reads no session in %j', (cookie) => {
    expect(valuesIn(cookie)).toEqual([]);
  });

  it('reads nothing without the header', () => {
    expect(cookieValues(withHeaders({}), '__Host-session')).toEqual([]);
  });
});
