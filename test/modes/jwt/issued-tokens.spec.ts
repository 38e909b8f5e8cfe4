import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { signIns } from '../../support/modes/any.js';
import { jwtOf } from '../../support/modes/jwt.js';
import type { Person } from '../../support/person.js';
import { useServer } from '../../support/server.js';

const API = 'https://api.example.com';
const REPORTS = 'https://reports.example.com';
const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const NO_TOKEN = { status: 401, problem: 'invalid-credential' };

const headerOf = (token: string): unknown =>
  JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString());

describe('an access token of POST /v1/tokens', () => {
  const context = useServer({ env: { AUDIENCES: `${API} ${REPORTS}` } });
  /** The scopes of a user, without a role. */
  const everything = async (): Promise<string[]> => {
    const client = await signIns[0]!.of(await context.server.person());
    return (await client.get('/v1/probes/principal')).body.scopes;
  };
  let ada: Person;
  beforeAll(async () => {
    ada = await context.server.person({ email: 'ada@example.com' });
  });
  afterEach(() => context.server.clock.reset());

  it('has the claims of RFC 9068 and no others', async () => {
    const before = Math.floor(Date.now() / 1000);
    const { claims, accessToken } = await jwtOf(ada);
    expect(claims).toEqual({
      iss: context.server.config.ISSUER,
      aud: API,
      sub: ada.id,
      exp: claims['iat'] + 600,
      iat: expect.any(Number),
      jti: expect.stringMatching(UUID7),
      sid: expect.stringMatching(UUID7),
      scope: (await everything()).join(' '),
      auth_time: expect.any(Number),
      amr: ['pwd'],
      acr: 'aal1',
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
    const token = await jwtOf(ada);
    const { body } = await token.get('/v1/sessions/current');
    expect(body).toMatchObject({ id: token.claims['sid'], carrier: 'token', current: true });
  });

  it.each([
    ['GET', '/v1/users/me', undefined],
    ['PATCH', '/v1/users/me', {}],
    ['GET', '/v1/sessions', undefined],
    ['GET', '/v1/probes', undefined],
    ['POST', '/v1/probes', { note: 'Tea' }],
    ['DELETE', '/v1/sessions', undefined],
  ])('opens %s %s', async (method, path, body) => {
    const token = await jwtOf(ada);
    expect((await token.call(method, path, { body })).status).toBeLessThan(300);
  });

  it('opens routes that need a recent sign-in, while it is one', async () => {
    const token = await jwtOf(ada);
    const body = { currentPassword: 'a wrong password', newPassword: 'another password of Ada' };
    expect(await token.put('/v1/users/me/password', body)).toMatchObject(NO_TOKEN);
  });

  // room: sessions
  it('does not open routes for sessions', async () => {
    const answer = await (await jwtOf(ada)).get('/v1/sessions/current/csrf-token');
    expect(answer).toMatchObject({ status: 401, problem: 'mode-not-accepted' });
  });
  // /room

  it('needs no CSRF token, whatever the origin: no browser sends it by itself', async () => {
    const token = (await jwtOf(ada)).with({ Origin: 'https://evil.example.com' });
    expect((await token.patch('/v1/users/me', {})).status).toBe(200);
  });

  it('ends at exp, also if it was used before', async () => {
    const token = await jwtOf(ada);
    expect((await token.get('/v1/probes/principal')).status).toBe(200);
    await context.server.clock.advance('590s');
    expect((await token.get('/v1/probes/principal')).status).toBe(200);
    await context.server.clock.advance('11s');
    const answer = await token.get('/v1/users/me');
    expect(answer).toMatchObject(NO_TOKEN);
    expect(answer.challenges).toContain('Bearer realm="api", error="invalid_token"');
  });

  it('[V10.3.3] contains no email address and no name', async () => {
    await (await jwtOf(ada)).patch('/v1/users/me', { name: 'Lovelace' });
    const { accessToken } = await jwtOf(ada);
    const decoded = accessToken.split('.').map((part) => Buffer.from(part, 'base64url').toString());
    expect(decoded.join('')).not.toMatch(/ada@|lovelace/i);
  });

  it('[V9.2.4] [RFC 9700 2.2.1] picks the audience, of which the first is this server', async () => {
    const [here, elsewhere] = [await jwtOf(ada, { resource: API }), await jwtOf(ada, { resource: REPORTS })];
    expect([here.claims['aud'], elsewhere.claims['aud']]).toEqual([API, REPORTS]);
    expect((await here.get('/v1/probes/principal')).status).toBe(200);
    expect(await elsewhere.get('/v1/probes/principal')).toMatchObject(NO_TOKEN);
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

  it('[V11.4.3] signs with EdDSA, for the issuer itself where no audience is named', async () => {
    const token = await jwtOf(await context.server.person());
    expect(headerOf(token.accessToken)).toMatchObject({ alg: 'EdDSA', typ: 'at+jwt' });
    expect(token.claims['aud']).toBe(context.server.config.ISSUER);
    expect((await token.get('/v1/probes/principal')).status).toBe(200);
  });

  it('lives for ACCESS_TOKEN_TTL, and never longer than the sign-in', async () => {
    const token = await jwtOf(await context.server.person());
    expect(token.claims['exp'] - token.claims['iat']).toBe(480);
    await context.server.clock.advance('7m');
    const { body } = await context.server.anonymous.post('/v1/tokens/refresh', {
      refreshToken: token.refreshToken,
    });
    expect(body.expires_in).toBeGreaterThan(120);
    expect(body.expires_in).toBeLessThanOrEqual(180);
    await context.server.clock.reset();
  });
});
