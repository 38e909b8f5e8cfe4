import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { userScopes } from '../../../src/auth/scopes.js';
import type { Answer, Client } from '../../support/client.js';
import { postForm } from '../../support/form.js';
import { type Person, type SessionClient, TokenClient } from '../../support/person.js';
import { PASSWORD, type TestServer, useServer } from '../../support/server.js';

const API = 'https://api.example.com';
const REPORTS = 'https://reports.example.com';
const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const NO_TOKEN = { status: 401, problem: 'invalid-credential' };

const headerOf = (token: string): unknown =>
  JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString());

const pointersOf = ({ body }: Answer): string[] =>
  body.errors.map((error: { pointer: string }) => error.pointer);

const ask = (server: TestServer, { email, password }: Person, fields: object = {}) =>
  server.anonymous.post('/v1/tokens', { email, password, ...fields });

describe('POST /v1/tokens', () => {
  const context = useServer({ env: { AUDIENCES: `${API} ${REPORTS}` } });
  let ada: Person;
  beforeAll(async () => {
    ada = await context.server.person({ email: 'ada@example.com' });
  });
  afterEach(() => context.server.clock.reset());

  const askFor = (fields?: object) => ask(context.server, ada, fields);

  describe('the answer', () => {
    it('is the one of RFC 6749, and is never stored', async () => {
      const { status, headers, body, cookies } = await askFor();
      expect({ status, body }).toEqual({
        status: 201,
        body: {
          access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
          token_type: 'Bearer',
          expires_in: 600,
          scope: userScopes().join(' '),
          refresh_token: expect.stringMatching(/^rt_[\w-]{43}$/),
        },
      });
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('pragma')).toBe('no-cache');
      expect(cookies).toEqual({});
    });

    it('says nothing personal', async () => {
      await (await ada.session()).patch('/v1/users/me', { name: 'Lovelace' });
      const { body } = await askFor();
      const [header, claims] = body.access_token.split('.').map((s: string) => Buffer.from(s, 'base64url'));
      expect(`${header}${claims}`).not.toMatch(/ada@|lovelace/i);
    });
  });

  describe('the access token', () => {
    it('has the claims of RFC 9068 and no others', async () => {
      const before = Math.floor(Date.now() / 1000);
      const { claims, accessToken } = await ada.jwt();
      expect(claims).toEqual({
        iss: context.server.config.ISSUER,
        aud: API,
        sub: ada.id,
        exp: claims['iat'] + 600,
        iat: expect.any(Number),
        jti: expect.stringMatching(UUID7),
        sid: expect.stringMatching(UUID7),
        scope: userScopes().join(' '),
        auth_time: expect.any(Number),
        amr: ['pwd'],
        client_id: 'first-party',
      });
      expect(claims['iat'] - before).toBeLessThan(60);
      expect(claims['iat']).toBeGreaterThanOrEqual(claims['auth_time']);
      expect(headerOf(accessToken)).toEqual({
        alg: 'ES256',
        kid: expect.stringMatching(/^[\w-]{43}$/),
        typ: 'at+jwt',
      });
    });

    it('names the sign-in that lists show', async () => {
      const token = await ada.jwt();
      const { body } = await token.get('/v1/sessions/current');
      expect(body).toMatchObject({ id: token.claims['sid'], carrier: 'token', current: true });
    });

    it.each([
      ['GET', '/v1/users/me', undefined],
      ['PATCH', '/v1/users/me', {}],
      ['GET', '/v1/sessions', undefined],
      ['GET', '/v1/orders', undefined],
      ['POST', '/v1/orders', { item: 'Tea', quantity: 1 }],
      ['GET', '/v1/api-keys', undefined],
      ['DELETE', '/v1/sessions', undefined],
    ])('opens %s %s', async (method, path, body) => {
      const token = await ada.jwt();
      expect((await token.call(method, path, { body })).status).toBeLessThan(300);
    });

    it('opens what asks for a recent sign-in, while it is one', async () => {
      const token = await ada.jwt();
      const key = await token.post('/v1/api-keys', { name: 'By token', scopes: ['orders:read'] });
      expect(key.status).toBe(201);
    });

    it('opens nothing that is for sessions or keys', async () => {
      const token = await ada.jwt();
      for (const [method, path] of [
        ['GET', '/v1/sessions/current/csrf-token'],
        ['POST', '/v1/events'],
      ] as const)
        expect(await token.call(method, path)).toMatchObject({ status: 401, problem: 'mode-not-accepted' });
    });

    it('needs no CSRF token, whatever the origin: no browser sends it by itself', async () => {
      const token = (await ada.jwt()).with({ Origin: 'https://evil.example.com' });
      expect((await token.patch('/v1/users/me', {})).status).toBe(200);
    });

    it('ends at exp, also if it was used before', async () => {
      const token = await ada.jwt();
      expect((await token.get('/v1/whoami')).status).toBe(200);
      context.server.clock.advance('590s');
      expect((await token.get('/v1/whoami')).status).toBe(200);
      context.server.clock.advance('11s');
      const answer = await token.get('/v1/users/me');
      expect(answer).toMatchObject(NO_TOKEN);
      expect(answer.challenges).toContain('Bearer realm="api", error="invalid_token"');
    });
  });

  describe('scope', () => {
    it('is what was asked for, once each', async () => {
      const token = await ada.jwt({ scope: 'orders:read profile:read orders:read' });
      expect(token.claims['scope']).toBe('orders:read profile:read');
      expect((await token.get('/v1/orders')).status).toBe(200);
      const refused = await token.post('/v1/orders', { item: 'Tea', quantity: 1 });
      expect(refused).toMatchObject({ status: 403, problem: 'insufficient-scope' });
      expect(refused.challenges).toBe('Bearer realm="api", error="insufficient_scope", scope="orders:write"');
    });

    it.each(['orders:everything', 'admin:everything', '', 'orders:read  profile:read'])(
      'is refused as %j, also to an administrator',
      async (scope) => {
        const administrator = await context.server.administrator();
        for (const person of [ada, administrator]) {
          const answer = await ask(context.server, person, { scope });
          expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
          expect(pointersOf(answer)).toEqual(['/scope']);
        }
      },
    );

    it('is all but admin:* to an administrator', async () => {
      const token = await (await context.server.administrator()).jwt();
      expect(token.claims['scope']).toBe(userScopes().join(' '));
      expect((await token.get('/v1/whoami')).body.scopes).toEqual([...userScopes()]);
    });

    describe.each(['jwt', 'opaque'] as const)('of an administrator, as %s', (format) => {
      const scope = 'profile:read admin:users';
      const scopesOf = async (token: Client) => (await token.get('/v1/whoami')).body.scopes;
      const refresh = async (refreshToken: string, fields?: Record<string, string>) =>
        fields
          ? postForm(context.server.anonymous, '/oauth/token', {
              grant_type: 'refresh_token',
              client_id: 'first-party',
              refresh_token: refreshToken,
              ...fields,
            })
          : context.server.anonymous.post('/v1/tokens/refresh', { refreshToken });
      const bearer = ({ body }: Answer) =>
        context.server.anonymous.with({ Authorization: `Bearer ${body.access_token}` });

      it('has what it asked for by name, and no other scope of the role', async () => {
        const root = await context.server.administrator();
        const answer = await ask(context.server, root, { scope, format });
        expect(answer).toMatchObject({ status: 201, body: { scope } });
        expect(await scopesOf(bearer(answer))).toEqual(['admin:users', 'profile:read']);
      });

      it('is granted to nobody without the role', async () => {
        const answer = await ask(context.server, ada, { scope, format });
        expect(answer).toMatchObject({ status: 201, body: { scope: 'profile:read' } });
        expect(await scopesOf(bearer(answer))).toEqual(['profile:read']);
        const none = await ask(context.server, ada, { scope: 'admin:users admin:audit', format });
        expect(none).toMatchObject({ status: 400, problem: 'validation-failed' });
        expect(pointersOf(none)).toEqual(['/scope']);
      });

      it('keeps its scopes in a refresh, which can narrow them and add none', async () => {
        const root = await context.server.administrator();
        const first = await ask(context.server, root, { scope, format });
        const kept = await refresh(first.body.refresh_token);
        expect(kept.body.scope).toBe(scope);
        expect(await scopesOf(bearer(kept))).toEqual(['admin:users', 'profile:read']);
        const narrowed = await refresh(kept.body.refresh_token, { scope: 'profile:read' });
        expect(await scopesOf(bearer(narrowed))).toEqual(['profile:read']);
        const wider = await refresh(narrowed.body.refresh_token, { scope: 'admin:audit' });
        expect(wider).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
      });

      it('keeps its scopes when the password is proved again', async () => {
        const root = await context.server.administrator();
        const token = bearer(await ask(context.server, root, { scope: `${scope} account:security`, format }));
        const renewed = await token.post('/v1/sessions/current/reauthentication', {
          password: root.password,
        });
        expect(renewed.body.scope).toBe(`${scope} account:security`);
        expect(await scopesOf(bearer(renewed))).toContain('admin:users');
      });

      it('loses them at once with the role, also where only the database knows, and in a refresh', async () => {
        const root = await context.server.administrator();
        const answer = await ask(context.server, root, { scope, format });
        await context.server.dataSource.query(`UPDATE users SET roles = '{}' WHERE id = $1`, [root.id]);
        expect(await bearer(answer).get('/v1/admin/users')).toMatchObject({
          status: 403,
          body: { missingScopes: ['admin:users'] },
        });
        expect(await scopesOf(bearer(answer))).toEqual(['profile:read']);
        expect((await refresh(answer.body.refresh_token)).body.scope).toBe('profile:read');
      });
    });
  });

  describe('resource', () => {
    it('picks the audience, of which the first is this server', async () => {
      const [here, elsewhere] = [await ada.jwt({ resource: API }), await ada.jwt({ resource: REPORTS })];
      expect([here.claims['aud'], elsewhere.claims['aud']]).toEqual([API, REPORTS]);
      expect((await here.get('/v1/whoami')).status).toBe(200);
      expect(await elsewhere.get('/v1/whoami')).toMatchObject(NO_TOKEN);
    });

    it.each(['https://evil.example.com', `${API}/`, ''])('is refused as %j', async (resource) => {
      const answer = await askFor({ resource });
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(pointersOf(answer)).toEqual(['/resource']);
    });
  });

  describe('refuses', () => {
    it.each([
      ['a format that is not there', { format: 'saml' }, '/format'],
      ['another place for the refresh token', { refreshIn: 'url' }, '/refreshIn'],
      ['a field that it does not know', { grant_type: 'password' }, '/grant_type'],
      ['an address that is none', { email: 'ada' }, '/email'],
      ['a password that is no text', { password: 42 }, '/password'],
    ])('%s', async (_what, fields, pointer) => {
      const answer = await askFor(fields);
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(pointersOf(answer)).toEqual([pointer]);
    });

    it('a wrong password and an unknown address alike', async () => {
      for (const fields of [{ password: 'wrong horse' }, { email: 'nobody@example.com' }]) {
        const answer = await askFor(fields);
        expect(answer).toMatchObject(NO_TOKEN);
        expect(answer.challenges).toBe('Bearer realm="api", Session realm="api"');
      }
    });

    it.each([{ Origin: 'https://evil.example.com' }, { Origin: 'null' }, { 'Sec-Fetch-Site': 'cross-site' }])(
      'what another site caused: %j',
      async (headers) => {
        const answer = await context.server.anonymous
          .with(headers)
          .post('/v1/tokens', { email: ada.email, password: ada.password });
        expect(answer).toMatchObject({ status: 403, problem: 'csrf' });
      },
    );
  });
});

describe('a pair of tokens', () => {
  const context = useServer();
  let ada: Person;
  let root: SessionClient;
  beforeAll(async () => {
    root = await (await context.server.administrator()).session();
  });

  const refresh = (refreshToken: string) =>
    context.server.anonymous.post('/v1/tokens/refresh', { refreshToken });

  /** Of Ada, as all that she holds is about to be refused. */
  const status = (value: string) => root.put(`/v1/admin/users/${ada.id}/status`, { status: value });
  const changePassword = async () =>
    (await ada.session()).put('/v1/users/me/password', {
      currentPassword: PASSWORD,
      newPassword: 'another horse, another staple',
    });

  it.each<[string, (token: TokenClient) => Promise<Answer>]>([
    ['a sign-out by the token itself', (token) => token.delete('/v1/sessions/current')],
    ['its own id', (token) => token.delete(`/v1/sessions/${token.claims['sid']}`)],
    ['a session', async (token) => (await ada.session()).delete(`/v1/sessions/${token.claims['sid']}`)],
    ['a session that ends all others', async () => (await ada.session()).delete('/v1/sessions')],
    ['another token', async (token) => (await ada.jwt()).delete(`/v1/sessions/${token.claims['sid']}`)],
    ['another password', changePassword],
    ['an administrator who disables the user', () => status('disabled')],
    ['other roles', () => root.put(`/v1/admin/users/${ada.id}/roles`, { roles: ['admin'] })],
    ['an administrator who signs the user out', () => root.post(`/v1/admin/users/${ada.id}/sign-out`)],
  ])('is ended at once by %s', async (_what, end) => {
    ada = await context.server.person();
    const token = await ada.jwt();
    expect((await token.get('/v1/whoami')).status).toBe(200);
    expect((await end(token)).status).toBeLessThan(300);
    expect(await token.get('/v1/whoami')).toMatchObject(NO_TOKEN);
    expect(await refresh(token.refreshToken)).toMatchObject({
      status: 401,
      problem: 'invalid-refresh-token',
    });
  });

  it('does not come back with its user', async () => {
    ada = await context.server.person();
    const token = await ada.jwt();
    await status('disabled');
    expect(await ask(context.server, ada)).toMatchObject(NO_TOKEN);
    await status('active');
    expect(await token.get('/v1/whoami')).toMatchObject(NO_TOKEN);
    expect((await (await ada.jwt()).get('/v1/whoami')).status).toBe(200);
  });

  it("is out of somebody else's reach", async () => {
    ada = await context.server.person();
    const token = await ada.jwt();
    const other = await (await context.server.person()).jwt();
    const answer = await other.delete(`/v1/sessions/${token.claims['sid']}`);
    expect(answer).toMatchObject({ status: 404, problem: 'not-found' });
    expect((await token.get('/v1/whoami')).status).toBe(200);
  });

  it.each<[string, string, object, (token: TokenClient, path: string, body: object) => Promise<Answer>]>([
    [
      'a reauthentication',
      '/v1/sessions/current/reauthentication',
      { password: PASSWORD },
      (token, path, body) => token.post(path, body),
    ],
    [
      'a change of the password by it',
      '/v1/users/me/password',
      { currentPassword: PASSWORD, newPassword: 'another horse, another staple' },
      (token, path, body) => token.put(path, body),
    ],
  ])('is replaced by %s, within the same second too', async (_what, path, body, prove) => {
    ada = await context.server.person();
    const before = await ada.jwt({ scope: 'account:security profile:read' });
    const answer = await prove(before, path, body);
    expect(answer).toMatchObject({
      status: 200,
      body: { token_type: 'Bearer', expires_in: 600, scope: 'account:security profile:read' },
    });
    expect(await before.get('/v1/whoami')).toMatchObject(NO_TOKEN);
    expect(await refresh(before.refreshToken)).toMatchObject({ status: 401 });

    const { url, secrets } = context.server;
    const after = TokenClient.from(url, secrets, { ...answer, status: 201 });
    expect((await after.get('/v1/whoami')).status).toBe(200);
    expect(after.claims).toMatchObject({ sid: before.claims['sid'], client_id: 'first-party' });
    expect(after.claims['auth_time']).toBeGreaterThan(before.claims['auth_time']);
    expect((await refresh(after.refreshToken)).status).toBe(200);
  });
});

describe('with other settings', () => {
  const context = useServer({
    env: {
      JWT_ALGORITHM: 'EdDSA',
      ACCESS_TOKEN_TTL: '8m',
      REFRESH_TOKEN_IDLE_TTL: '10m',
      REFRESH_TOKEN_TTL: '10m',
    },
  });

  it('signs with EdDSA, for the issuer itself where no audience is named', async () => {
    const token = await (await context.server.person()).jwt();
    expect(headerOf(token.accessToken)).toMatchObject({ alg: 'EdDSA', typ: 'at+jwt' });
    expect(token.claims['aud']).toBe(context.server.config.ISSUER);
    expect((await token.get('/v1/whoami')).status).toBe(200);
  });

  it('lives for ACCESS_TOKEN_TTL, and never longer than the sign-in', async () => {
    const token = await (await context.server.person()).jwt();
    expect(token.claims['exp'] - token.claims['iat']).toBe(480);
    context.server.clock.advance('7m');
    const { body } = await context.server.anonymous.post('/v1/tokens/refresh', {
      refreshToken: token.refreshToken,
    });
    expect(body.expires_in).toBeGreaterThan(120);
    expect(body.expires_in).toBeLessThanOrEqual(180);
    context.server.clock.reset();
  });
});
