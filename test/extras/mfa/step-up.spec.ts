import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AuthenticatorApp } from '../../support/authenticator-app.js';
import type { Client } from '../../support/client.js';
// room: api-keys
import { apiKeyOf } from '../../support/modes/api-key.js';
// /room
import { claimsOf, jwtOf, TokenClient } from '../../support/modes/jwt.js';
import { OpaqueClient } from '../../support/modes/opaque.js';
import { type SessionClient, sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import {
  enrolTotp,
  freshCode,
  mfaRequired,
  sessionFrom,
  sessionWithTotp,
  type TotpOwner,
} from '../../support/second-factors.js';
import { PASSWORD, useServer } from '../../support/server.js';

const REAUTHENTICATION = '/v1/sessions/current/reauthentication';
const CHALLENGE = 'realm="api", error="insufficient_user_authentication"';
const needsFactor = (scheme = 'Session') => ({
  status: 401,
  problem: 'insufficient-user-authentication',
  challenges: `${scheme} ${CHALLENGE}, acr_values="aal2", max_age="600"`,
  body: { acrValues: ['aal2'], maxAge: 600 },
});

describe('step-up', () => {
  const context = useServer({ env: { RATE_LIMITS: 'off' } });
  let person: Person;
  let ada: TotpOwner;
  /** A sign-in from before the factor. */
  let weak: SessionClient;

  beforeEach(async () => {
    await context.server.clock.reset();
    person = await context.server.administrator();
    weak = await sessionOf(person);
    ada = await enrolTotp(context.server, await sessionOf(person));
  });

  const reauthenticate = async (client: SessionClient, proof: object) => {
    const answer = await client.post(REAUTHENTICATION, proof);
    expect(answer.status).toBe(200);
    return sessionFrom(client, answer);
  };

  describe('a sign-in without the second factor of its owner', () => {
    it.each([
      ['GET', '/v1/mfa'],
      ['POST', '/v1/mfa/totp'],
      ['PUT', '/v1/mfa/totp'],
      ['DELETE', '/v1/mfa/totp'],
      ['POST', '/v1/mfa/recovery-codes'],
      ['POST', '/v1/mfa/passkeys/options'],
      ['POST', '/v1/mfa/passkeys'],
      ['DELETE', '/v1/mfa/passkeys/0197a000-0000-7000-8000-000000000000'],
      ['GET', '/v1/admin/users'],
      ['POST', '/v1/admin/users/0197a000-0000-7000-8000-000000000000/sign-out'],
    ])('is refused on %s %s', async (method, path) => {
      expect(await weak.call(method, path)).toMatchObject(needsFactor());
    });

    it('still does what needs none', async () => {
      expect((await weak.get('/v1/users/me')).status).toBe(200);
      expect((await weak.get('/v1/sessions')).status).toBe(200);
    });

    it('is not helped by the password', async () => {
      const again = await reauthenticate(weak, { password: PASSWORD });
      expect(await again.get('/v1/admin/users')).toMatchObject(needsFactor());
    });

    it('is let in after a reauthentication with the factor, and its amr tells', async () => {
      const strong = await reauthenticate(weak, { totp: await freshCode(context.server, ada.app) });
      expect((await strong.get('/v1/admin/users')).status).toBe(200);
      expect((await strong.get('/v1/whoami')).body.amr).toEqual(['pwd', 'otp', 'mfa']);
      expect((await weak.get('/v1/whoami')).status).toBe(401);
    });
  });

  it('lets people in who have no factor', async () => {
    const admin = await sessionOf(await context.server.administrator());
    expect((await admin.get('/v1/admin/users')).status).toBe(200);
    expect((await admin.get('/v1/mfa')).status).toBe(200);
  });

  describe('the two times of a sign-in', () => {
    it('are both needed where a route names both', async () => {
      await context.server.clock.advance('11m');
      expect(await ada.session.get('/v1/mfa')).toMatchObject(needsFactor());
      const recent = await reauthenticate(ada.session, { password: PASSWORD });
      expect((await recent.put('/v1/users/me/password', {})).status).toBe(400);
      expect(await recent.get('/v1/mfa')).toMatchObject(needsFactor());
      const strong = await reauthenticate(recent, { totp: await freshCode(context.server, ada.app) });
      expect((await strong.get('/v1/mfa')).status).toBe(200);
    });

    it('are both renewed by a second factor alone', async () => {
      await context.server.clock.advance('11m');
      const strong = await reauthenticate(ada.session, { totp: await freshCode(context.server, ada.app) });
      expect((await strong.put('/v1/users/me/password', {})).status).toBe(400);
      expect((await strong.get('/v1/mfa')).status).toBe(200);
    });
  });

  describe('a reauthentication', () => {
    const INVALID = { status: 401, problem: 'invalid-credential', cookieNames: [] };

    it('refuses a wrong code, a used one and that of another user', async () => {
      const bob = await enrolTotp(context.server, await sessionOf(await context.server.person()));
      const send = (proof: object) => ada.session.post(REAUTHENTICATION, proof);
      expect(await send({ totp: ada.app.wrongCodeAt(await context.server.clock.now()) })).toMatchObject(
        INVALID,
      );
      expect(await send({ totp: await freshCode(context.server, bob.app) })).toMatchObject(INVALID);
      expect(await send({ recoveryCode: bob.recoveryCodes[0] })).toMatchObject(INVALID);
      const totp = await freshCode(context.server, ada.app);
      const next = await reauthenticate(ada.session, { totp });
      expect(await next.post(REAUTHENTICATION, { totp })).toMatchObject(INVALID);
    });

    it('refuses a factor that nobody has enrolled', async () => {
      const session = await sessionOf(await context.server.person());
      expect(await session.post(REAUTHENTICATION, { totp: '123456' })).toMatchObject(INVALID);
    });

    it('takes one proof, and no mfaToken', async () => {
      const { mfaToken } = await mfaRequired(person);
      const totp = await freshCode(context.server, ada.app);
      for (const body of [{ mfaToken, totp }, { totp, password: PASSWORD }, {}, { totp: 123_456 }])
        expect(await ada.session.post(REAUTHENTICATION, body)).toMatchObject({
          status: 400,
          problem: 'validation-failed',
        });
    });

    it('answers a token with a full token response, and the old pair ends', async () => {
      const { mfaToken } = await mfaRequired(person, '/v1/tokens', { scope: 'account:security' });
      const totp = await freshCode(context.server, ada.app);
      const token = TokenClient.from(
        context.server.url,
        context.server.secrets,
        await person.anonymous.post('/v1/tokens', { mfaToken, totp }),
      );
      const { status, body } = await token.post(REAUTHENTICATION, {
        totp: await freshCode(context.server, ada.app),
      });
      expect(status).toBe(200);
      expect(claimsOf(body.access_token)).toMatchObject({ acr: 'aal2', sid: token.claims['sid'] });
      expect((await token.get('/v1/whoami')).status).toBe(401);
      const { refreshToken } = token;
      expect((await person.anonymous.post('/v1/tokens/refresh', { refreshToken })).status).toBe(401);
    });
  });

  describe.each(['jwt', 'opaque'] as const)('a token (%s)', (format) => {
    const SCOPE = 'account:security admin:users profile:read';
    const clientOf = format === 'jwt' ? TokenClient : OpaqueClient;
    let token: TokenClient | OpaqueClient;

    const signIn = async (body: object) =>
      clientOf.from(
        context.server.url,
        context.server.secrets,
        await person.anonymous.post('/v1/tokens', body),
      );
    const refresh = async ({ refreshToken }: { refreshToken: string }) =>
      clientOf.from(context.server.url, context.server.secrets, {
        ...(await person.anonymous.post('/v1/tokens/refresh', { refreshToken })),
        status: 201,
      });

    beforeEach(async () => {
      const { mfaToken } = await mfaRequired(person, '/v1/tokens', { format, scope: SCOPE });
      token = await signIn({ mfaToken, totp: await freshCode(context.server, ada.app) });
    });

    it('is let in, and a refresh renews neither time', async () => {
      expect((await token.get('/v1/admin/users')).status).toBe(200);
      await context.server.clock.advance('9m');
      token = await refresh(token);
      expect((await token.get('/v1/admin/users')).status).toBe(200);
      await context.server.clock.advance('2m');
      token = await refresh(token);
      expect(await token.get('/v1/admin/users')).toMatchObject(needsFactor('Bearer'));
      expect((await token.get('/v1/whoami')).body.amr).toEqual(['pwd', 'otp', 'mfa']);
    });

    it('of a sign-in from before the factor is refused, also after a refresh', async () => {
      const early = await context.server.administrator();
      const before = clientOf.from(
        context.server.url,
        context.server.secrets,
        await early.anonymous.post('/v1/tokens', {
          email: early.email,
          password: early.password,
          format,
          scope: SCOPE,
        }),
      );
      await enrolTotp(context.server, await sessionOf(early));
      expect(await before.get('/v1/mfa')).toMatchObject(needsFactor('Bearer'));
      expect(await (await refresh(before)).get('/v1/admin/users')).toMatchObject(needsFactor('Bearer'));
    });

    it('gets a full token response when its owner enrols a factor', async () => {
      const bob = await context.server.person();
      const client: Client = clientOf.from(
        context.server.url,
        context.server.secrets,
        await bob.anonymous.post('/v1/tokens', { email: bob.email, password: bob.password, format }),
      );
      const { secret } = (await client.post('/v1/mfa/totp')).body;
      const code = new AuthenticatorApp(secret).codeAt(await context.server.clock.now());
      const { body } = await client.put('/v1/mfa/totp', { code });
      expect(body).toMatchObject({
        access_token: expect.any(String),
        refresh_token: expect.any(String),
        token_type: 'Bearer',
        recoveryCodes: expect.any(Array),
      });
      expect((await client.get('/v1/whoami')).status).toBe(401);
    });
  });

  it('states aal1 in a JWT without a second factor', async () => {
    const { claims } = await jwtOf(await context.server.person());
    expect(claims).toMatchObject({ amr: ['pwd'], acr: 'aal1' });
  });

  // room: api-keys
  it('does not ask an API key for a factor', async () => {
    const key = await apiKeyOf(await context.server.person(), ['profile:read']);
    expect((await key.get('/v1/users/me')).status).toBe(200);
  });
  // /room
});

describe.each(['admins', 'everyone'] as const)('REQUIRE_SECOND_FACTOR=%s', (required) => {
  const context = useServer({ env: { RATE_LIMITS: 'off', REQUIRE_SECOND_FACTOR: required } });
  let admin: Person;
  let session: SessionClient;
  beforeAll(async () => {
    admin = await context.server.administrator();
    session = await sessionOf(admin);
  });

  it('[V6.3.3] keeps an administrator without a factor from administration', async () => {
    expect(await session.get('/v1/admin/users')).toMatchObject(needsFactor());
    expect(await session.get('/v1/admin/signing-keys')).toMatchObject(needsFactor());
  });

  it(`${required === 'everyone' ? 'keeps' : 'does not keep'} a person without a factor from other routes`, async () => {
    const person = await sessionOf(await context.server.person());
    const answer = await person.get('/v1/probes');
    if (required === 'admins') return expect(answer.status).toBe(200);
    expect(answer).toMatchObject({
      status: 401,
      challenges: `Session ${CHALLENGE}, acr_values="aal2"`,
      body: { acrValues: ['aal2'] },
    });
    expect(answer.body).not.toHaveProperty('maxAge');
    const token = await jwtOf(await context.server.person());
    expect((await token.get('/v1/probes')).problem).toBe('insufficient-user-authentication');
  });

  it('lets a person enrol one, and then everything else', async () => {
    const person = await context.server.administrator();
    const { session: strong, app } = await enrolTotp(context.server, await sessionOf(person));
    expect((await strong.get('/v1/admin/users')).status).toBe(200);
    expect((await strong.get('/v1/probes')).status).toBe(200);
    const { mfaToken } = await mfaRequired(person, '/v1/tokens');
    const answer = await person.anonymous.post('/v1/tokens', {
      mfaToken,
      totp: await freshCode(context.server, app),
    });
    const token = TokenClient.from(context.server.url, context.server.secrets, answer);
    expect((await token.get('/v1/probes')).status).toBe(200);
  });

  it('lets a person look at the sign-in, reauthenticate and sign out without one', async () => {
    const other = await sessionOf(admin);
    expect((await other.get('/v1/sessions/current')).status).toBe(200);
    expect((await other.get('/v1/sessions/current/csrf-token')).status).toBe(200);
    const again = sessionFrom(other, await other.post(REAUTHENTICATION, { password: PASSWORD }));
    expect((await again.delete('/v1/sessions/current')).status).toBe(204);
  });

  // room: api-keys
  it('does not ask keys', async () => {
    const person = await context.server.administrator();
    const { app } = await enrolTotp(context.server, await sessionOf(person));
    const strong = await sessionWithTotp(context.server, person, app);
    const { key } = (await strong.post('/v1/api-keys', { name: 'x', scopes: ['probes:read'] })).body;
    const client = context.server.anonymous.with({ 'X-API-Key': key });
    expect((await client.get('/v1/probes')).status).toBe(200);
  });
  // /room
});
