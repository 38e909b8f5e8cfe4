import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SignedOutError } from '../../examples/clients/typescript/api-error.js';
import { SessionClient } from '../../examples/clients/typescript/session-client.js';
import { FaultyProxy } from './faulty-proxy.js';
import { signIn } from '../support/modes/any.js';
import type { Person } from '../support/person.js';
import { PASSWORD, useServer } from '../support/server.js';

const ME = '/v1/users/me';

describe('the session client', () => {
  const context = useServer();
  let proxy: FaultyProxy;
  let ada: Person;
  let cookies: Map<string, string>;
  let client: SessionClient;

  /** A `fetch` with the cookies of one browser. */
  const browser: typeof fetch = async (url, init) => {
    const headers = new Headers(init?.headers);
    headers.set('Cookie', [...cookies].map((pair) => pair.join('=')).join('; '));
    const response = await fetch(url, { ...init, headers });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line)!;
      if (value) cookies.set(name, value);
      else cookies.delete(name);
    }
    return response;
  };
  const make = () => new SessionClient({ url: proxy.url, fetch: browser });
  const send = (from: SessionClient, method: string, path: string, body: object) =>
    from.fetch(path, {
      method,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  const rename = async (name: string, from = client) => (await send(from, 'PATCH', ME, { name })).status;
  const passwordOf = ({ email, password }: Person) => ({ email, password });
  const get = async (path = ME) => (await client.fetch(path)).status;

  beforeEach(async () => {
    proxy = await FaultyProxy.start(() => context.server.url);
    cookies = new Map();
    ada = await context.server.person();
    client = make();
    await client.signIn(passwordOf(ada));
  });
  afterEach(() => proxy.stop());

  it('sends the CSRF token with what changes something', async () => {
    expect([await get(), await rename('Ada')]).toEqual([200, 200]);
    const tokens = proxy.requests.slice(1).map(({ headers }) => typeof headers['x-csrf-token']);
    expect(tokens).toEqual(['undefined', 'string']);
  });

  it('resumes after a reload, while the cookie works', async () => {
    client = make();
    expect([await client.resume(), await rename('Ada')]).toEqual([true, 200]);
    await (await signIn(ada)).delete('/v1/sessions');
    expect(await make().resume()).toBe(false);
  });

  it('reads a new CSRF token if another tab has renewed the session', async () => {
    const tab = make();
    await tab.resume();
    const proof = { password: PASSWORD };
    expect((await send(tab, 'POST', '/v1/sessions/current/reauthentication', proof)).status).toBe(200);
    expect(await rename('Ada')).toBe(200);
  });

  it('never changes anything for a person who has signed in in another tab', async () => {
    const bob = await context.server.person();
    await make().signIn(passwordOf(bob));
    await expect(rename('Ada')).rejects.toThrow(SignedOutError);
    expect(await (await client.fetch(ME)).json()).toMatchObject({ email: bob.email, name: null });
  });

  it('repeats a PATCH after 429, and not after 503', async () => {
    const headers = { 'Retry-After': '0' };
    proxy.fail(`PATCH ${ME}`, { status: 429, headers }, { status: 503, headers });
    expect([await rename('Ada'), await rename('Ada')]).toEqual([503, 200]);
  });

  it('ends the session when it signs out', async () => {
    const cookie = cookies.get('__Host-session')!;
    await client.signOut();
    expect([cookies.has('__Host-session'), await get()]).toEqual([false, 401]);
    const old = context.server.anonymous.with({ Cookie: `__Host-session=${cookie}` });
    expect((await old.get(ME)).status).toBe(401);
  });

  it('refuses a path that can lead to another host', async () => {
    await expect(client.fetch('@elsewhere.example.com/')).rejects.toThrow('the path must begin with /');
  });
});
