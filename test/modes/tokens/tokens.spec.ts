import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer, Client } from '../../support/client.js';
// room: oauth
import { postForm } from '../../support/form.js';
// /room
import { administer, signIn, signInIdOf, type TokenHolder, tokens } from '../../support/modes/any.js';
import type { Person } from '../../support/person.js';
import { PASSWORD, type TestServer, useServer } from '../../support/server.js';

const API = 'https://api.example.com';
const REPORTS = 'https://reports.example.com';
const NO_TOKEN = { status: 401, problem: 'invalid-credential' };

const { of: tokenOf, from } = tokens[0]!;
const pointersOf = ({ body }: Answer): string[] =>
  body.errors.map((error: { pointer: string }) => error.pointer);

const ask = (server: TestServer, { email, password }: Person, fields: object = {}) =>
  server.anonymous.post('/v1/tokens', { email, password, ...fields });

describe('POST /v1/tokens', () => {
  const context = useServer({ env: { AUDIENCES: `${API} ${REPORTS}` } });
  /** The scopes of a user, without a role. */
  const everything = async (): Promise<string[]> =>
    (await (await signIn(await context.server.person())).get('/v1/probes/principal')).body.scopes;
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
          access_token: expect.any(String),
          token_type: 'Bearer',
          expires_in: 600,
          scope: (await everything()).join(' '),
          refresh_token: expect.stringMatching(/^rt_[\w-]{43}$/),
        },
      });
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('pragma')).toBe('no-cache');
      expect(Object.keys(cookies)).toEqual(['__Host-device']);
    });
  });

  describe('scope', () => {
    it('is what was asked for, once each', async () => {
      const token = await tokenOf(ada, { scope: 'probes:read profile:read probes:read' });
      expect((await token.get('/v1/probes/principal')).body.scopes).toEqual(['probes:read', 'profile:read']);
      expect((await token.get('/v1/probes')).status).toBe(200);
      const refused = await token.post('/v1/probes', { note: 'Tea' });
      expect(refused).toMatchObject({ status: 403, problem: 'insufficient-scope' });
      expect(refused.challenges).toBe('Bearer realm="api", error="insufficient_scope", scope="probes:write"');
    });

    it.each(['probes:everything', 'admin:everything', '', 'probes:read  profile:read'])(
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
      const token = await tokenOf(await context.server.administrator());
      expect((await token.get('/v1/probes/principal')).body.scopes).toEqual(await everything());
    });

    describe.each(tokens)('of an administrator by $mode', ({ fields: { format } }) => {
      const scope = 'profile:read admin:users';
      const scopesOf = async (token: Client) => (await token.get('/v1/probes/principal')).body.scopes;
      const refresh = (refreshToken: string) =>
        context.server.anonymous.post('/v1/tokens/refresh', { refreshToken });
      const bearer = ({ body }: Answer) =>
        context.server.anonymous.with({ Authorization: `Bearer ${body.access_token}` });

      it('has the scopes that it asked for by name, and no others of the role', async () => {
        const root = await context.server.administrator();
        const answer = await ask(context.server, root, { scope, format });
        expect(answer).toMatchObject({ status: 201, body: { scope } });
        expect(await scopesOf(bearer(answer))).toEqual(['admin:users', 'profile:read']);
      });

      it('is not granted without the role', async () => {
        const answer = await ask(context.server, ada, { scope, format });
        expect(answer).toMatchObject({ status: 201, body: { scope: 'profile:read' } });
        expect(await scopesOf(bearer(answer))).toEqual(['profile:read']);
        const none = await ask(context.server, ada, { scope: 'admin:users', format });
        expect(none).toMatchObject({ status: 400, problem: 'validation-failed' });
        expect(pointersOf(none)).toEqual(['/scope']);
      });

      it('keeps its scopes in a refresh', async () => {
        const root = await context.server.administrator();
        const first = await ask(context.server, root, { scope, format });
        const kept = await refresh(first.body.refresh_token);
        expect(kept.body.scope).toBe(scope);
        expect(await scopesOf(bearer(kept))).toEqual(['admin:users', 'profile:read']);
      });

      // room: oauth
      it('can narrow its scopes in a refresh, and add none', async () => {
        const root = await context.server.administrator();
        const first = await ask(context.server, root, { scope, format });
        const narrow = (refreshToken: string, scope: string) =>
          postForm(context.server.anonymous, '/oauth/token', {
            grant_type: 'refresh_token',
            client_id: 'first-party',
            refresh_token: refreshToken,
            scope,
          });
        const narrowed = await narrow(first.body.refresh_token, 'profile:read');
        expect(await scopesOf(bearer(narrowed))).toEqual(['profile:read']);
        const wider = await narrow(narrowed.body.refresh_token, 'sessions:read');
        expect(wider).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
      });
      // /room

      it('keeps its scopes when the password is proved again', async () => {
        const root = await context.server.administrator();
        const token = bearer(await ask(context.server, root, { scope: `${scope} account:security`, format }));
        const renewed = await token.post('/v1/sessions/current/reauthentication', {
          password: root.password,
        });
        expect(renewed.body.scope).toBe(`${scope} account:security`);
        expect(await scopesOf(bearer(renewed))).toContain('admin:users');
      });

      it('[V8.3.2] loses them with the role at once, and in a refresh', async () => {
        const root = await context.server.administrator();
        const answer = await ask(context.server, root, { scope, format });
        await context.server.query(`UPDATE users SET roles = '{}' WHERE id = $1`, [root.id]);
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

    it('answers for a wrong password as for an unknown address', async () => {
      for (const fields of [{ password: 'wrong horse' }, { email: 'nobody@example.com' }]) {
        const answer = await askFor(fields);
        expect(answer).toMatchObject(NO_TOKEN);
        expect(answer.challenges).toContain('Bearer realm="api"');
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
  let root: Client;
  beforeAll(async () => {
    root = await administer(await context.server.administrator());
  });

  const refresh = (refreshToken: string) =>
    context.server.anonymous.post('/v1/tokens/refresh', { refreshToken });

  /** Of Ada, as all that she holds is about to be refused. */
  const status = (value: string) => root.put(`/v1/admin/users/${ada.id}/status`, { status: value });
  const changePassword = async () =>
    (await signIn(ada)).put('/v1/users/me/password', {
      currentPassword: PASSWORD,
      newPassword: 'another horse, another staple',
    });

  it.each<[string, (token: TokenHolder) => Promise<Answer>]>([
    ['a sign-out by the token itself', (token) => token.delete('/v1/sessions/current')],
    ['its own id', async (token) => token.delete(`/v1/sessions/${await signInIdOf(token)}`)],
    [
      'another sign-in',
      async (token) => (await signIn(ada)).delete(`/v1/sessions/${await signInIdOf(token)}`),
    ],
    ['another sign-in that ends all others', async () => (await signIn(ada)).delete('/v1/sessions')],
    [
      'another token',
      async (token) => (await tokenOf(ada)).delete(`/v1/sessions/${await signInIdOf(token)}`),
    ],
    ['another password', changePassword],
    // room: admin
    ['an administrator who disables the user', () => status('disabled')],
    ['other roles', () => root.put(`/v1/admin/users/${ada.id}/roles`, { roles: ['admin'] })],
    ['an administrator who signs the user out', () => root.post(`/v1/admin/users/${ada.id}/sign-out`)],
    // /room
  ])('is ended at once by %s', async (_what, end) => {
    ada = await context.server.person();
    const token = await tokenOf(ada);
    expect((await token.get('/v1/probes/principal')).status).toBe(200);
    expect((await end(token)).status).toBeLessThan(300);
    expect(await token.get('/v1/probes/principal')).toMatchObject(NO_TOKEN);
    expect(await refresh(token.refreshToken)).toMatchObject({
      status: 401,
      problem: 'invalid-refresh-token',
    });
  });

  // room: admin
  it('stays ended if its user is enabled again', async () => {
    ada = await context.server.person();
    const token = await tokenOf(ada);
    await status('disabled');
    expect(await ask(context.server, ada)).toMatchObject(NO_TOKEN);
    await status('active');
    expect(await token.get('/v1/probes/principal')).toMatchObject(NO_TOKEN);
    expect((await (await tokenOf(ada)).get('/v1/probes/principal')).status).toBe(200);
  });
  // /room

  it('cannot be ended by another person', async () => {
    ada = await context.server.person();
    const token = await tokenOf(ada);
    const other = await tokenOf(await context.server.person());
    const answer = await other.delete(`/v1/sessions/${await signInIdOf(token)}`);
    expect(answer).toMatchObject({ status: 404, problem: 'not-found' });
    expect((await token.get('/v1/probes/principal')).status).toBe(200);
  });

  const authTimeOf = async (token: Client) =>
    Date.parse((await token.get('/v1/probes/principal')).body.authTime);

  it.each<[string, string, object, (token: TokenHolder, path: string, body: object) => Promise<Answer>]>([
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
    const before = await tokenOf(ada, { scope: 'account:security profile:read' });
    const id = await signInIdOf(before);
    const authTime = await authTimeOf(before);
    const answer = await prove(before, path, body);
    expect(answer).toMatchObject({
      status: 200,
      body: { token_type: 'Bearer', expires_in: 600, scope: 'account:security profile:read' },
    });
    expect(await before.get('/v1/probes/principal')).toMatchObject(NO_TOKEN);
    expect(await refresh(before.refreshToken)).toMatchObject({ status: 401 });

    const { url, secrets } = context.server;
    const after = from(url, secrets, { ...answer, status: 201 });
    expect(await signInIdOf(after)).toBe(id);
    expect(await authTimeOf(after)).toBeGreaterThan(authTime);
    expect((await refresh(after.refreshToken)).status).toBe(200);
  });
});
