import { beforeAll, describe, expect, it } from '@jest/globals';
import { Secret, URI } from 'otpauth';
import { AuthenticatorApp } from '../../support/authenticator-app.js';
// room: jwt
import { claimsOf } from '../../support/modes/jwt.js';
// /room
import { sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import {
  enrolTotp,
  freshCode,
  mfaRequired,
  sessionFrom,
  statusesOf,
  sessionWithTotp,
  type TotpOwner,
} from '../../support/second-factors.js';
import { PASSWORD, useServer } from '../../support/server.js';

const INVALID = { status: 401, problem: 'invalid-credential', cookieNames: [] };

describe('an authenticator app', () => {
  const context = useServer({ env: { RATE_LIMITS: 'off' } });
  const now = () => context.server.clock.now();

  async function owner(): Promise<TotpOwner & { person: Person }> {
    const person = await context.server.person();
    return { person, ...(await enrolTotp(context.server, await sessionOf(person))) };
  }

  describe('POST /v1/mfa/totp', () => {
    it('answers with a secret of 160 bits, its URI and a QR code', async () => {
      const person = await context.server.person();
      const { status, body } = await (await sessionOf(person)).post('/v1/mfa/totp');
      expect(status).toBe(201);
      expect(Secret.fromBase32(body.secret).bytes).toHaveLength(20);
      expect(URI.parse(body.otpauthUri)).toMatchObject({
        issuer: new URL(context.server.config.ISSUER).host,
        label: person.email,
        algorithm: 'SHA1',
        digits: 6,
        period: 30,
      });
      expect(body.qrSvg).toMatch(/^<svg [\s\S]*<\/svg>$/);
    });

    it('is inactive until its first code: the password alone still signs in', async () => {
      const person = await context.server.person();
      const session = await sessionOf(person);
      await session.post('/v1/mfa/totp');
      expect((await session.get('/v1/mfa')).body).toEqual({ totp: false, passkeys: [], recoveryCodes: 0 });
      await sessionOf(person);
    });

    it('replaces a secret that was never activated', async () => {
      const session = await sessionOf(await context.server.person());
      const first = new AuthenticatorApp((await session.post('/v1/mfa/totp')).body.secret);
      await session.post('/v1/mfa/totp');
      expect(await session.put('/v1/mfa/totp', { code: first.codeAt(await now()) })).toMatchObject({
        status: 400,
        problem: 'validation-failed',
        body: { errors: [{ pointer: '/code' }] },
      });
    });

    it('refuses a second app', async () => {
      const { session } = await owner();
      expect(await session.post('/v1/mfa/totp')).toMatchObject({ status: 409, problem: 'totp-enrolled' });
    });
  });

  describe('PUT /v1/mfa/totp', () => {
    it('[V6.5.4] answers with ten recovery codes, once', async () => {
      const { session, recoveryCodes } = await owner();
      expect(new Set(recoveryCodes).size).toBe(10);
      for (const code of recoveryCodes)
        expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{6}-){3}[0-9A-HJKMNP-TV-Z]{6}$/);
      expect((await session.get('/v1/mfa')).body).toEqual({ totp: true, passkeys: [], recoveryCodes: 10 });
    });

    it('refuses a wrong code, an unknown field, and a code without a secret', async () => {
      const session = await sessionOf(await context.server.person());
      const put = (body: object) => session.put('/v1/mfa/totp', body);
      const refused = { status: 400, problem: 'validation-failed', cookieNames: [] };
      expect(await put({ code: '000000' })).toMatchObject(refused);
      const app = new AuthenticatorApp((await session.post('/v1/mfa/totp')).body.secret);
      expect(await put({ code: app.wrongCodeAt(await now()) })).toMatchObject(refused);
      expect(await put({ code: app.codeAt(await now()), secret: 'x' })).toMatchObject(refused);
      expect(await put({ code: '12345' })).toMatchObject(refused);
      expect((await session.get('/v1/mfa')).body.totp).toBe(false);
    });

    it('rotates the cookie and the CSRF token: the old ones end', async () => {
      const person = await context.server.person();
      const before = await sessionOf(person);
      const { session } = await enrolTotp(context.server, before);
      expect(await before.get('/v1/whoami')).toMatchObject({ status: 401, problem: 'invalid-credential' });
      expect(session.cookie).not.toBe(before.cookie);
      expect(session.csrfToken).not.toBe(before.csrfToken);
      expect(session.signInId).toBe(before.signInId);
    });

    it('counts the new factor as used, and makes the sign-in no more recent', async () => {
      const person = await context.server.person();
      const before = await sessionOf(person);
      const { authTime } = (await before.get('/v1/whoami')).body;
      await context.server.clock.advance('5m');
      const { session } = await enrolTotp(context.server, before);
      const { body } = await session.get('/v1/whoami');
      expect(body.amr).toEqual(['pwd', 'otp', 'mfa']);
      expect(Date.parse(body.authTime) - Date.parse(authTime)).toBeLessThanOrEqual(1000);
    });

    it('tells the owner by mail', async () => {
      const { person } = await owner();
      const mail = (await context.server.mails()).findLast((text) => text.includes(`To: ${person.email}`));
      expect(mail).toContain('Subject: An authenticator app was added to your account');
    });
  });

  describe('a sign-in with an authenticator app', () => {
    let ada: TotpOwner & { person: Person };
    let bob: TotpOwner & { person: Person };
    beforeAll(async () => {
      ada = await owner();
      bob = await owner();
    });
    const send = (body: object, path = '/v1/sessions') => ada.person.anonymous.post(path, body);

    it('[V6.3.4] needs a code after the password', async () => {
      const { email, password } = ada.person;
      const first = await send({ email, password });
      expect(first).toMatchObject({
        status: 401,
        problem: 'mfa-required',
        cookieNames: [],
        body: { methods: ['totp', 'recoveryCode'], mfaToken: expect.stringMatching(/^[\w-]{43}$/) },
      });
      expect(first.body).not.toHaveProperty('passkeyOptions');
      const second = await send({
        mfaToken: first.body.mfaToken,
        totp: await freshCode(context.server, ada.app),
      });
      expect(second.status).toBe(201);
      const session = sessionFrom(ada.person.anonymous, second);
      expect((await session.get('/v1/whoami')).body.amr).toEqual(['pwd', 'otp', 'mfa']);
    });

    it('says nothing about factors before the password is right', async () => {
      expect(await send({ email: ada.person.email, password: `wrong ${PASSWORD}` })).toMatchObject(INVALID);
    });

    // room: jwt
    it('keeps the parameters of the first request', async () => {
      const parameters = { format: 'jwt', refreshIn: 'cookie', scope: 'profile:read' };
      const { mfaToken } = await mfaRequired(ada.person, '/v1/tokens', parameters);
      const totp = await freshCode(context.server, ada.app);
      const { status, body, cookieNames } = await send({ mfaToken, totp }, '/v1/tokens');
      expect({ status, cookieNames }).toEqual({
        status: 201,
        cookieNames: ['__Host-refresh', '__Host-device'],
      });
      expect(body.scope).toBe('profile:read');
      expect(claimsOf(body.access_token)).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' });
    });

    it.each([{ scope: 'admin:users' }, { format: 'opaque' }, { resource: 'https://evil.example' }])(
      'refuses other parameters in the second request: %j',
      async (further) => {
        const { mfaToken } = await mfaRequired(ada.person, '/v1/tokens', { scope: 'profile:read' });
        const totp = await freshCode(context.server, ada.app);
        expect(await send({ mfaToken, totp, ...further }, '/v1/tokens')).toMatchObject({
          status: 400,
          problem: 'validation-failed',
          body: {
            errors: [{ pointer: `/${Object.keys(further)[0]}`, detail: 'is not a field of this request' }],
          },
        });
      },
    );

    it('refuses the token on the other route', async () => {
      const bySession = await mfaRequired(ada.person);
      const byToken = await mfaRequired(ada.person, '/v1/tokens');
      const totp = await freshCode(context.server, ada.app);
      expect(await send({ mfaToken: bySession.mfaToken, totp }, '/v1/tokens')).toMatchObject(INVALID);
      expect(await send({ mfaToken: byToken.mfaToken, totp })).toMatchObject(INVALID);
      expect((await send({ mfaToken: bySession.mfaToken, totp })).status).toBe(201);
    });
    // /room

    it('refuses a code without a token, with an unknown token, and with two methods', async () => {
      const totp = await freshCode(context.server, ada.app);
      const { mfaToken } = await mfaRequired(ada.person);
      expect(await send({ totp })).toMatchObject({ status: 400 });
      expect(await send({ mfaToken: 'A'.repeat(43), totp })).toMatchObject(INVALID);
      expect(await send({ mfaToken: 'junk', totp })).toMatchObject(INVALID);
      expect(await send({ mfaToken, totp, recoveryCode: ada.recoveryCodes[9] })).toMatchObject({
        status: 400,
      });
    });

    it('[V6.5.1] refuses a code that was used before', async () => {
      const totp = await freshCode(context.server, ada.app);
      const [one, another] = [await mfaRequired(ada.person), await mfaRequired(ada.person)];
      expect((await send({ mfaToken: one.mfaToken, totp })).status).toBe(201);
      expect(await send({ mfaToken: another.mfaToken, totp })).toMatchObject(INVALID);
    });

    it('refuses the code that enrolled the app', async () => {
      const person = await context.server.person();
      const session = await sessionOf(person);
      const app = new AuthenticatorApp((await session.post('/v1/mfa/totp')).body.secret);
      const code = app.codeAt(await now());
      await session.put('/v1/mfa/totp', { code });
      const { mfaToken } = await mfaRequired(person);
      expect(await send({ mfaToken, totp: code })).toMatchObject(INVALID);
    });

    it('lets one of two parallel requests with the same code through', async () => {
      for (let round = 0; round < 5; round += 1) {
        const totp = await freshCode(context.server, ada.app);
        const tokens = await Promise.all([mfaRequired(ada.person), mfaRequired(ada.person)]);
        const answers = await Promise.all(tokens.map(({ mfaToken }) => send({ mfaToken, totp })));
        expect(statusesOf(answers)).toEqual([201, 401]);
      }
    });

    it('lets a token through once, also in parallel', async () => {
      const { mfaToken } = await mfaRequired(ada.person);
      await context.server.clock.advance('90s');
      const time = await now();
      const codes = [ada.app.codeAt(time), ada.app.codeAt(time, 1)];
      const answers = await Promise.all(codes.map((totp) => send({ mfaToken, totp })));
      expect(statusesOf(answers)).toEqual([201, 401]);
      expect(await send({ mfaToken, totp: await freshCode(context.server, ada.app) })).toMatchObject(INVALID);
    });

    it('[V6.5.5] accepts the codes of the steps before and after, and no others', async () => {
      for (const [steps, accepted] of [
        [-2, false],
        [-1, true],
        [2, false],
        [1, true],
      ] as const) {
        await context.server.clock.advance('3m');
        const { mfaToken } = await mfaRequired(ada.person);
        const { status } = await send({ mfaToken, totp: ada.app.codeAt(await now(), steps) });
        expect({ steps, accepted: status === 201 }).toEqual({ steps, accepted });
      }
    });

    it('refuses the code of another user', async () => {
      const { mfaToken } = await mfaRequired(ada.person);
      expect(await send({ mfaToken, totp: await freshCode(context.server, bob.app) })).toMatchObject(INVALID);
    });

    it('refuses the sixth attempt, even with a right code', async () => {
      await context.server.clock.advance('30s');
      const { mfaToken } = await mfaRequired(ada.person);
      const wrong = ada.app.wrongCodeAt(await now());
      for (let n = 0; n < 5; n += 1) expect(await send({ mfaToken, totp: wrong })).toMatchObject(INVALID);
      expect(await send({ mfaToken, totp: ada.app.codeAt(await now()) })).toMatchObject(INVALID);
    });

    it('counts parallel attempts too', async () => {
      await context.server.clock.advance('30s');
      const { mfaToken } = await mfaRequired(ada.person);
      const wrong = ada.app.wrongCodeAt(await now());
      await Promise.all(Array.from({ length: 5 }, () => send({ mfaToken, totp: wrong })));
      expect(await send({ mfaToken, totp: ada.app.codeAt(await now()) })).toMatchObject(INVALID);
    });

    it('accepts a right code after four wrong ones', async () => {
      await context.server.clock.advance('30s');
      const { mfaToken } = await mfaRequired(ada.person);
      const wrong = ada.app.wrongCodeAt(await now());
      for (let n = 0; n < 4; n += 1) await send({ mfaToken, totp: wrong });
      expect((await send({ mfaToken, totp: ada.app.codeAt(await now()) })).status).toBe(201);
    });

    it('refuses the token after five minutes', async () => {
      const { mfaToken } = await mfaRequired(ada.person);
      await context.server.clock.advance('5m');
      expect(await send({ mfaToken, totp: ada.app.codeAt(await now()) })).toMatchObject(INVALID);
    });

    it.each([
      ['the user is disabled', `UPDATE users SET status = 'disabled' WHERE id = $1`],
      ['the password changes', `UPDATE users SET password_hash = password_hash || ' ' WHERE id = $1`],
      ['the app is removed', 'DELETE FROM totp_factors WHERE user_id = $1'],
    ])('refuses the second request if %s meanwhile', async (_what, change) => {
      const { person, app } = await owner();
      const { mfaToken } = await mfaRequired(person);
      await context.server.query(change, [person.id]);
      expect(await send({ mfaToken, totp: await freshCode(context.server, app) })).toMatchObject(INVALID);
    });

    it('ends the session of a cookie that comes along, as with a password alone', async () => {
      const before = await sessionWithTotp(context.server, ada.person, ada.app);
      const { mfaToken } = await mfaRequired(ada.person);
      const totp = await freshCode(context.server, ada.app);
      await ada.person.anonymous
        .with({ Cookie: `__Host-session=${before.cookie}` })
        .post('/v1/sessions', { mfaToken, totp });
      expect((await before.get('/v1/whoami')).status).toBe(401);
    });

    it('refuses the second request of another site', async () => {
      const { mfaToken } = await mfaRequired(ada.person);
      const totp = await freshCode(context.server, ada.app);
      const foreign = ada.person.anonymous.with({ Origin: 'https://evil.example' });
      expect(await foreign.post('/v1/sessions', { mfaToken, totp })).toMatchObject({
        status: 403,
        problem: 'csrf',
      });
    });

    it('is in the log with the precise reason', async () => {
      const { mfaToken } = await mfaRequired(ada.person);
      await send({ mfaToken, totp: ada.app.wrongCodeAt(await now()) });
      const entries = await context.server.entries();
      expect(entries.findLast(({ event }) => event === 'sign-in.refused')).toMatchObject({
        reason: 'wrong code',
        userId: ada.person.id,
      });
      await send({ mfaToken, totp: await freshCode(context.server, ada.app) });
      expect(
        (await context.server.entries()).findLast(({ event }) => event === 'sign-in.succeeded'),
      ).toMatchObject({
        method: 'password and totp',
        userId: ada.person.id,
      });
    });
  });

  describe('DELETE /v1/mfa/totp', () => {
    it('removes the app and the recovery codes, rotates the secrets and mails the owner', async () => {
      const { session, person } = await owner();
      const answer = await session.delete('/v1/mfa/totp');
      expect(answer.status).toBe(200);
      const after = sessionFrom(session, answer);
      expect((await session.get('/v1/whoami')).status).toBe(401);
      expect((await after.get('/v1/mfa')).body).toEqual({ totp: false, passkeys: [], recoveryCodes: 0 });
      const mail = (await context.server.mails()).findLast((text) => text.includes(`To: ${person.email}`));
      expect(mail).toContain('Subject: The authenticator app was removed from your account');
      await sessionOf(person);
    });

    it('is 404 without an app', async () => {
      const session = await sessionOf(await context.server.person());
      expect(await session.delete('/v1/mfa/totp')).toMatchObject({ status: 404, problem: 'not-found' });
    });
  });

  it('is in the API reference of the routes that sign in', async () => {
    const { paths } = (await context.server.anonymous.get('/openapi.json')).body;
    expect(paths['/v1/sessions'].post.responses['401'].description).toContain('mfa-required');
  });

  it('[V14.2.4] stores the secret sealed for its user: it does not open for another', async () => {
    const [ada, bob] = [await owner(), await owner()];
    await context.server.query(
      `UPDATE totp_factors SET secret_sealed = (SELECT secret_sealed FROM totp_factors WHERE user_id = $1)
       WHERE user_id = $2`,
      [ada.person.id, bob.person.id],
    );
    const { mfaToken } = await mfaRequired(bob.person);
    const totp = await freshCode(context.server, ada.app);
    expect((await bob.person.anonymous.post('/v1/sessions', { mfaToken, totp })).status).toBe(500);
  });

  it('goes when another person takes over an account that was never confirmed', async () => {
    const { person } = await owner();
    await context.server.query('UPDATE users SET email_verified_at = NULL WHERE id = $1', [person.id]);
    await person.anonymous.post('/v1/email-verifications', { email: person.email });
    const token = await context.server.mailedToken(person.email);
    const newPassword = `another ${PASSWORD}`;
    expect((await person.anonymous.put('/v1/email-verifications', { token, newPassword })).status).toBe(204);
    person.password = newPassword;
    await sessionOf(person);
  });

  it('lets housekeeping delete challenges that have expired', async () => {
    const { person } = await owner();
    await mfaRequired(person);
    await context.server.clock.advance('5m');
    await context.server.runHousekeeping();
    expect(
      await context.server.query('SELECT 1 FROM mfa_challenges WHERE user_id = $1', [person.id]),
    ).toEqual([]);
  });
});
