import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { credentialOfPage } from '../../examples/clients/typescript/server-rendering.js';
import { FaultyProxy, Gate, type Passed } from './faulty-proxy.js';
import { signIn } from '../support/modes/any.js';
import type { Person } from '../support/person.js';
import { useServer } from '../support/server.js';
import { until } from '../support/until.js';

const REFRESH = 'POST /v1/tokens/refresh';

describe('a server that renders a page', () => {
  const context = useServer();
  let proxy: FaultyProxy;
  let ada: Person;
  let cookie: string;

  beforeEach(async () => {
    proxy = await FaultyProxy.start(() => context.server.url);
    ada = await context.server.person();
    const { email, password, anonymous } = ada;
    const answer = await anonymous.post('/v1/tokens', { email, password, refreshIn: 'cookie' });
    cookie = `__Host-refresh=${answer.cookies['__Host-refresh']}`;
  });
  afterEach(() => proxy.stop());

  const page = (cookies = cookie) => credentialOfPage(proxy.url, { cookies, address: '192.0.2.7' });
  const statusOf = async (token: string | undefined) =>
    (await context.server.anonymous.with({ Authorization: `Bearer ${token}` }).get('/v1/users/me')).status;
  const cookieOf = (lines: readonly string[]) => lines[0]!.split(';', 1)[0]!;
  const refreshes = (value: string) =>
    context.server.anonymous.with({ Cookie: value }).post('/v1/tokens/refresh');

  it('gets an access token with the refresh cookie, and passes the next cookie on', async () => {
    const { accessToken, setCookie } = await page(`theme=dark; ${cookie}; other=1`);
    expect([await statusOf(accessToken), setCookie.length]).toEqual([200, 1]);
    expect(setCookie[0]).toContain('HttpOnly');
    const [{ headers }] = proxy.requests as [Passed];
    expect([headers.cookie, headers['x-forwarded-for']]).toEqual([cookie, '192.0.2.7']);
    expect((await refreshes(cookieOf(setCookie))).status).toBe(200);
  });

  it('gets the same successor as a browser that refreshes at the same moment', async () => {
    const held = new Gate();
    proxy.fail(REFRESH, held.opened);
    const rendered = page();
    await until(() => proxy.requests.length === 1);
    const inBrowser = await refreshes(cookie);
    held.open();
    const { accessToken, setCookie } = await rendered;
    expect(cookieOf(setCookie)).toBe(`__Host-refresh=${inBrowser.cookies['__Host-refresh']}`);
    expect(await statusOf(accessToken)).toBe(200);
    expect((await refreshes(cookieOf(setCookie))).status).toBe(200);
  });

  it('survives a lost answer', async () => {
    proxy.fail(REFRESH, 'lose');
    expect(await statusOf((await page()).accessToken)).toBe(200);
  });

  it('renders a page for nobody, and clears the cookie, if the sign-in has ended', async () => {
    await (await signIn(ada)).delete('/v1/sessions');
    const { accessToken, setCookie } = await page();
    expect([accessToken, cookieOf(setCookie)]).toEqual([undefined, '__Host-refresh=']);
  });

  it.each([undefined, '', 'theme=dark; x__Host-refresh=1'])(
    'asks nothing without a refresh cookie (%s)',
    async (cookies) => {
      expect(await credentialOfPage(proxy.url, { cookies, address: '192.0.2.7' })).toEqual({
        accessToken: undefined,
        setCookie: [],
      });
      expect(proxy.requests).toEqual([]);
    },
  );
});
