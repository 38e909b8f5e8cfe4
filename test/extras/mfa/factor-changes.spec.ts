import { beforeEach, describe, expect, it } from '@jest/globals';
import { Authenticator } from '../../support/authenticator.js';
import { AuthenticatorApp } from '../../support/authenticator-app.js';
import { meet } from '../../support/barrier.js';
import type { Answer } from '../../support/client.js';
import { type SessionClient, sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import { enrolTotp, sessionFrom } from '../../support/second-factors.js';
import { PASSWORD, useServer } from '../../support/server.js';

describe('changes of factors at the same moment', () => {
  const context = useServer({ env: { RATE_LIMITS: 'off' } });
  let person: Person;
  let owner: SessionClient;
  let thief: SessionClient;
  beforeEach(async () => {
    person = await context.server.person();
    owner = await sessionOf(person);
    thief = await sessionOf(person);
  });

  const race = (...requests: (() => Promise<Answer>)[]) =>
    meet(
      context.server,
      { lock: 'SELECT 1 FROM users WHERE id = $1 FOR UPDATE', parameters: [person.id] },
      requests,
    );

  async function activation(session: SessionClient): Promise<() => Promise<Answer>> {
    const app = new AuthenticatorApp((await session.post('/v1/mfa/totp')).body.secret);
    const code = app.codeAt(await context.server.clock.now());
    return () => session.put('/v1/mfa/totp', { code });
  }

  async function registration(session: SessionClient): Promise<() => Promise<Answer>> {
    const { body } = await session.post('/v1/mfa/passkeys/options');
    const passkey = new Authenticator(context.server.config.ISSUER).create(body);
    return () => session.post('/v1/mfa/passkeys', { passkey });
  }

  it('need the first factor for the second: another session without it is refused', async () => {
    const [enrolled, refused] = await race(await activation(owner), await registration(thief));
    expect(enrolled!.status).toBe(200);
    expect(refused).toMatchObject({
      status: 401,
      problem: 'insufficient-user-authentication',
      body: { acrValues: ['aal2'] },
    });
    const { body } = await sessionFrom(owner, enrolled!).get('/v1/mfa');
    expect(body).toMatchObject({ totp: true, passkeys: [] });
  });

  it('give the recovery codes to the first factor only, and end the secrets of the loser', async () => {
    const [one, another] = await race(await activation(owner), await registration(owner));
    expect(one!.body.recoveryCodes).toHaveLength(10);
    expect(another).toMatchObject({ status: 401, problem: 'invalid-credential' });
  });

  it('require the new factor of a sign-in that has just checked the password', async () => {
    const { anonymous, email } = person;
    const signIn = () => anonymous.post('/v1/sessions', { email, password: PASSWORD });
    const [enrolled, refused] = await race(await activation(owner), signIn);
    expect(enrolled!.status).toBe(200);
    expect(refused).toMatchObject({
      status: 401,
      problem: 'mfa-required',
      body: { methods: ['totp', 'recoveryCode'] },
      cookieNames: [],
    });
  });

  it.each([
    [
      'signed out',
      'UPDATE sign_ins SET ended_at = now(), end_reason = $2 WHERE id = $1',
      () => [owner.signInId, 'x'],
    ],
    ['disabled', `UPDATE users SET status = 'disabled' WHERE id = $1`, () => [person.id]],
  ] as const)('refuse a person who is %s meanwhile', async (_what, lock, parameters) => {
    const request = await activation(owner);
    const [answer] = await meet(context.server, { lock, parameters: [...parameters()] }, [request]);
    expect(answer).toMatchObject({ status: 401, problem: 'invalid-credential' });
    const rows = await context.server.query(
      'SELECT 1 FROM totp_factors WHERE user_id = $1 AND activated_at IS NOT NULL',
      [person.id],
    );
    expect(rows).toEqual([]);
  });
});

describe('a change of factors', () => {
  const context = useServer({ env: { RATE_LIMITS: 'off' } });

  it('shows on routes of another sign-in at once, whatever is cached', async () => {
    const person = await context.server.administrator();
    const other = await sessionOf(person);
    expect((await other.get('/v1/admin/users')).status).toBe(200);
    const { session } = await enrolTotp(context.server, await sessionOf(person));
    expect((await other.get('/v1/admin/users')).status).toBe(401);
    await session.delete('/v1/mfa/totp');
    expect((await other.get('/v1/admin/users')).status).toBe(200);
  });

  // room: tokens
  it('needs the scope account:security', async () => {
    const person = await context.server.person();
    const token = await person.anonymous.post('/v1/tokens', {
      email: person.email,
      password: person.password,
      scope: 'profile:read',
    });
    const client = person.anonymous.with({ Authorization: `Bearer ${token.body.access_token}` });
    expect(await client.post('/v1/mfa/totp')).toMatchObject({ status: 403, problem: 'insufficient-scope' });
  });
  // /room

  it('needs a recent sign-in', async () => {
    const session = await sessionOf(await context.server.person());
    await context.server.clock.advance('11m');
    expect(await session.post('/v1/mfa/totp')).toMatchObject({
      status: 401,
      challenges: 'Session realm="api", error="insufficient_user_authentication", max_age="600"',
      body: { maxAge: 600 },
    });
    await context.server.clock.reset();
  });
});

describe('the limit of factor changes', () => {
  const context = useServer();
  const LIMITED = { status: 429, problem: 'rate-limited' };

  it('is 30 per person and hour, and does not apply to removals', async () => {
    const { server } = context;
    const { session } = await enrolTotp(server, await sessionOf(await server.person()));
    // The enrolment was two requests.
    for (let i = 0; i < 28; i += 1) expect((await session.post('/v1/mfa/recovery-codes')).status).toBe(201);
    for (const answer of [
      await session.post('/v1/mfa/recovery-codes'),
      await session.post('/v1/mfa/totp'),
      await session.put('/v1/mfa/totp', { code: '123456' }),
    ])
      expect(answer).toMatchObject(LIMITED);
    expect((await session.delete('/v1/mfa/totp')).status).toBe(200);
    const other = await sessionOf(await server.person());
    expect((await other.post('/v1/mfa/totp')).status).toBe(201);
  });
});
