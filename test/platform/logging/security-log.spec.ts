import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
// room: api-keys
import { generateKey } from '../../../src/modes/api-keys/api-key.format.js';
// /room
import type { Answer, Client } from '../../support/client.js';
import { signIn, signInIdOf, signIns } from '../../support/modes/any.js';
// room: api-keys
import { apiKeyOf } from '../../support/modes/api-key.js';
// /room
// room: jwt
import { jwtOf, type TokenClient } from '../../support/modes/jwt.js';
// /room
// room: opaque-tokens
import { opaqueOf } from '../../support/modes/opaque.js';
// /room
// room: sessions
import { type SessionClient, sessionOf } from '../../support/modes/session.js';
// /room
import type { Person } from '../../support/person.js';
import { TestServer, useServer } from '../../support/server.js';

const COOKIE = '__Host-session';
/** Looks behind a JWT. */
const LIVE = '/v1/probes/live';
const PROBE = { note: 'Tea' };
/** Base64url of 32 bytes, and of no credential. */
const UNKNOWN = 'A'.repeat(43);
type Entry = Record<string, unknown>;

/** The lines of the log about the request that got this answer, once the last one is there. */
async function linesOf(server: TestServer, answer: Answer): Promise<Entry[]> {
  const requestId = answer.headers.get('x-request-id');
  for (let attempt = 0; attempt < 2_000; attempt += 1) {
    const lines = (await server.entries()).filter((entry) => entry['requestId'] === requestId);
    if (lines.some(({ msg }) => msg === 'request')) return lines;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(`the log has no line of the request ${requestId}`);
}

// room: sign-ins
async function signedOut<C extends Client>(client: C): Promise<C> {
  await client.delete('/v1/sessions/current');
  return client;
}
// /room

describe('the security log', () => {
  const context = useServer();
  // room: users
  let ada: Person;
  beforeAll(async () => {
    ada = await context.server.person();
  });
  // /room
  afterEach(() => context.server.clock.reset());

  /** The security events of a request, without what every line has. */
  async function eventsOf(answer: Answer, server = context.server): Promise<Entry[]> {
    const entries = (await linesOf(server, answer)).filter(({ event }) => event !== undefined);
    return entries.map(({ time, requestId, ip, msg, ...facts }) => {
      expect({ requestId, ip, msg }).toEqual({
        requestId: answer.headers.get('x-request-id'),
        ip: '127.0.0.1',
        msg: facts['event'],
      });
      expect(time).toMatch(/Z$/);
      return facts;
    });
  }
  const expectEvent = async (answer: Answer, facts: object) =>
    expect(await eventsOf(answer)).toContainEqual(expect.objectContaining(facts));
  /** The one line of a refusal holds these facts and no others. */
  const expectRefusal = async (answer: Answer, facts: object) =>
    expect(await eventsOf(answer)).toEqual([{ level: 'warn', ...facts }]);

  const post = (path: string, body: object) => context.server.anonymous.post(path, body);
  const whoami = (headers: Record<string, string>) =>
    context.server.anonymous.get('/v1/probes/principal', { headers });
  // room: users
  const later = async <T>(duration: string, result: T): Promise<T> => {
    await context.server.clock.advance(duration);
    return result;
  };
  /** Of a disabled user, whose status alone is changed: an administrator also ends the sign-ins, which is another reason. */
  const disabled = async (
    use: (person: Person) => Promise<Client>,
    path = '/v1/probes/principal',
  ): Promise<Answer> => {
    const person = await context.server.person();
    const client = await use(person);
    await context.server.query(`UPDATE users SET status = 'disabled' WHERE id = $1`, [person.id]);
    return client.get(path);
  };
  // /room

  describe('of a credential that is refused', () => {
    const expectReason = async (reason: string, answer: Answer) => {
      expect(answer).toMatchObject({ status: 401, problem: 'invalid-credential' });
      await expectRefusal(answer, { event: 'request.refused', problem: 'invalid-credential', reason });
    };

    // room: api-keys
    const byKey = (key: string) => whoami({ 'X-API-Key': key });

    it.each([
      ['malformed key', () => 'nk_test_x'],
      ['wrong checksum of the key', () => `nk_test_${'a'.repeat(49)}`],
      ['key of another environment', () => generateKey('live').key.reveal()],
      ['unknown key', () => generateKey('test').key.reveal()],
    ])('has the precise reason for an API key: %s', async (reason, make) => {
      await expectReason(reason, await byKey(make()));
    });
    // /room

    // room: sessions
    const byCookie = (value: string) => whoami({ Cookie: `${COOKIE}=${value}` });

    it.each<[string, () => Promise<Answer>]>([
      ['malformed session cookie', () => byCookie('x')],
      ['unknown session', () => byCookie(UNKNOWN)],
      ['two session cookies', () => byCookie(`${UNKNOWN}; ${COOKIE}=${UNKNOWN}`)],
      ['sign-in ended: signed out', async () => byCookie((await signedOut(await sessionOf(ada))).cookie)],
      ['sign-in idle for too long', async () => byCookie(await later('25h', (await sessionOf(ada)).cookie))],
      ['sign-in expired', async () => byCookie(await later('8d', (await sessionOf(ada)).cookie))],
      ['user disabled', () => disabled((person) => sessionOf(person))],
    ])('has the precise reason for a session: %s', async (reason, act) => {
      await expectReason(reason, await act());
    });
    // /room

    // room: tokens
    const byToken = (token: string) => whoami({ Authorization: `Bearer ${token}` });
    // /room

    // room: jwt
    /** A token that was good a moment ago, and is remembered. */
    const used = async (duration: string): Promise<Answer> => {
      const token = await jwtOf(ada);
      await token.get('/v1/probes/principal');
      return (await later(duration, token)).get('/v1/probes/principal');
    };

    it.each<[string, () => Promise<Answer>]>([
      ['not one bearer token', () => byToken('a b')],
      ['not three canonical base64url segments', () => byToken('a.b')],
      ['token expired', async () => byToken(await later('10m', (await jwtOf(ada)).accessToken))],
      // The feed knows that it ended, not why.
      ['sign-in ended', async () => byToken((await signedOut(await jwtOf(ada))).accessToken)],
      ['user disabled', () => disabled((person) => jwtOf(person), LIVE)],
      ['token expired', () => used('10m')],
    ])('has the precise reason for a JWT: %s', async (reason, act) => {
      await expectReason(reason, await act());
    });
    // /room

    // room: opaque-tokens
    it.each<[string, () => Promise<Answer>]>([
      ['sign-in ended: signed out', async () => byToken((await signedOut(await opaqueOf(ada))).accessToken)],
      ['user disabled', () => disabled((person) => opaqueOf(person))],
    ])('has the precise reason for an opaque token: %s', async (reason, act) => {
      await expectReason(reason, await act());
    });
    // /room

    // room: own-api-keys
    it('names the key that is revoked, expired, or of a disabled owner', async () => {
      const [revoked, expired] = [
        await apiKeyOf(ada, ['probes:read']),
        await apiKeyOf(ada, ['probes:read'], { expiresAt: new Date(Date.now() + 60_000).toISOString() }),
      ];
      await (await signIn(ada)).delete(`/v1/api-keys/${revoked.id}`);
      await expectEvent(await byKey(revoked.key), { reason: `key revoked: ${revoked.id}` });
      await context.server.clock.advance('1m');
      await expectEvent(await byKey(expired.key), { reason: `key expired: ${expired.id}` });
      await expectEvent(await disabled((person) => apiKeyOf(person, ['probes:read'])), {
        reason: expect.stringMatching(/^owner of the key disabled: [0-9a-f-]{36}$/),
      });
    });
    // /room

    it.each<[string, Record<string, string>]>([
      ['credential-required', {}],
      ['mode-not-accepted', { Authorization: 'Basic YWRhOmFkYQ==' }],
      // room: api-keys
      ['ambiguous-credentials', { Authorization: 'Bearer x', 'X-API-Key': 'x' }],
      // /room
    ])('names the problem %s', async (problem, headers) => {
      await expectRefusal(await whoami(headers), { event: 'request.refused', problem });
    });
  });

  describe('of a request that is refused to a good credential', () => {
    // room: sessions
    let session: SessionClient;
    beforeAll(async () => {
      session = await sessionOf(ada);
    });

    it.each<[string, Record<string, string>]>([
      ['no X-CSRF-Token', {}],
      ['wrong X-CSRF-Token', { 'X-CSRF-Token': UNKNOWN }],
      ['foreign Origin', { Origin: 'https://evil.example' }],
      ['Sec-Fetch-Site: cross-site', { 'Sec-Fetch-Site': 'cross-site' }],
      ['unknown Sec-Fetch-Site', { 'Sec-Fetch-Site': 'made-up' }],
    ])('has the precise reason: %s', async (reason, headers) => {
      const answer = await context.server.anonymous.post('/v1/probes', PROBE, {
        headers: { Cookie: `${COOKIE}=${session.cookie}`, ...headers },
      });
      const who = { userId: ada.id, mode: 'session', credentialId: session.signInId };
      await expectRefusal(answer, { event: 'request.refused', problem: 'csrf', reason, ...who });
    });
    // /room

    // room: jwt
    it('[V16.3.2] names the caller and the missing scopes', async () => {
      const jwt = await jwtOf(ada, { scope: 'probes:read' });
      const by = { userId: ada.id, mode: 'jwt', credentialId: jwt.claims['jti'] };
      const made = await jwt.post('/v1/probes', PROBE);
      await expectEvent(made, { event: 'request.refused', reason: 'missing probes:write', ...by });
    });
    // /room

    // room: jwt, own-api-keys
    it('names the scopes that the caller cannot give to a key', async () => {
      const jwt = await jwtOf(ada, { scope: 'api-keys:write' });
      const by = { userId: ada.id, mode: 'jwt', credentialId: jwt.claims['jti'] };
      const scopes = ['probes:read', 'probes:write'];
      await expectRefusal(await jwt.post('/v1/api-keys', { name: 'x', scopes }), {
        event: 'api-key.creation-refused',
        reason: 'missing probes:read probes:write',
        ...by,
      });
    });
    // /room

    // room: sessions, own-api-keys
    it('names the caller whose sign-in is too old', async () => {
      const client = await sessionOf(ada);
      await context.server.clock.advance('11m');
      const late = await client.post('/v1/api-keys', { name: 'x', scopes: ['probes:read'] });
      const who = { userId: ada.id, mode: 'session', credentialId: client.signInId };
      await expectEvent(late, { problem: 'insufficient-user-authentication', ...who });
    });
    // /room
  });

  // room: sign-ins
  describe('of passwords', () => {
    it.each(signIns)(
      '[V16.3.1] has the precise reason why a sign-in by $mode was refused',
      async ({ path, fields }) => {
        const gone = await context.server.person();
        await context.server.query(`UPDATE users SET status = 'disabled' WHERE id = $1`, [gone.id]);
        const { email, password } = ada;
        for (const [body, facts] of [
          [
            { email, password: 'not the password' },
            { reason: 'wrong password', userId: ada.id },
          ],
          [{ email: 'nobody@example.com', password }, { reason: 'unknown address' }],
          [
            { email: gone.email, password },
            { reason: 'user disabled', userId: gone.id },
          ],
        ] as const)
          await expectRefusal(await post(path, { ...body, ...fields }), {
            event: 'sign-in.refused',
            ...facts,
          });
      },
    );

    it('names an address that is not verified, if REQUIRE_VERIFIED_EMAIL is on', async () => {
      const database = { url: context.server.config.DATABASE_URL!, drop: async () => undefined };
      const server = await TestServer.start({ database, env: { REQUIRE_VERIFIED_EMAIL: 'on' } });
      const body = { email: 'unverified@example.com', password: ada.password };
      try {
        await server.anonymous.post('/v1/users', body);
        const { path, fields } = signIns[0]!;
        const events = await eventsOf(await server.anonymous.post(path, { ...body, ...fields }), server);
        expect(events).toMatchObject([{ event: 'sign-in.refused', reason: 'address not verified' }]);
      } finally {
        await server.stop();
      }
    });

    it.each(signIns)('[V16.3.1] has sign-ins by $mode, their ends and new passwords', async (kind) => {
      const grace = await context.server.person();
      const { url, secrets } = context.server;
      const credentials = { email: grace.email, password: grace.password, ...kind.fields };
      const succeeded = await post(kind.path, credentials);
      const client = kind.from(url, secrets, succeeded);
      const about = { userId: grace.id, credentialId: await signInIdOf(client) };
      const wrong = 'not the password';
      const newPassword = 'another horse, another battery';
      const reauthenticate = (password: string) =>
        client.post('/v1/sessions/current/reauthentication', { password });
      for (const [answer, facts] of [
        [succeeded, { event: 'sign-in.succeeded', carrier: kind.carrier }],
        [
          await (await kind.of(grace)).delete('/v1/sessions/current'),
          { event: 'sign-in.ended', reason: 'signed out' },
        ],
        [await client.delete('/v1/sessions'), { event: 'sign-in.all-ended', reason: 'ended by the user' }],
        [await reauthenticate(wrong), { event: 'reauthentication.refused', reason: 'wrong password' }],
        [
          await client.put('/v1/users/me/password', { currentPassword: wrong, newPassword }),
          { event: 'password.change-refused', reason: 'wrong password' },
        ],
        [await reauthenticate(grace.password), { event: 'reauthentication.succeeded', ...about }],
      ] as const)
        await expectEvent(answer, { userId: grace.id, ...facts });

      const body = { currentPassword: grace.password, newPassword };
      const changed = await (await kind.of(grace)).put('/v1/users/me/password', body);
      await expectEvent(changed, { event: 'password.changed', userId: grace.id });
      await expectEvent(changed, {
        event: 'sign-in.all-ended',
        userId: grace.id,
        reason: 'password changed',
      });
    });

    it('has registrations and verified addresses', async () => {
      const email = 'new@example.com';
      const register = { email, password: ada.password };
      const confirm = (token: string) => context.server.anonymous.put('/v1/email-verifications', { token });
      await expectEvent(await post('/v1/users', register), { event: 'user.registered' });
      const [{ id: userId }] = await context.server.query('SELECT id FROM users WHERE email = $1', [email]);
      const first = await context.server.mailedToken(email);
      const refused = { event: 'email-verification.refused' };
      await expectRefusal(await confirm('x'), { ...refused, reason: 'malformed' });
      await expectRefusal(await confirm(UNKNOWN), { ...refused, reason: 'unknown or superseded' });
      await context.server.clock.advance('24h');
      await expectRefusal(await confirm(first), { ...refused, reason: 'expired', userId });
      await expectEvent(await post('/v1/users', register), { event: 'user.registered', userId });
      const second = await context.server.mailedToken(email);
      const confirmed = await confirm(second);
      await expectEvent(confirmed, { event: 'user.email-verified', userId, takenOver: true });
      await expectEvent(await post('/v1/users', register), {
        event: 'user.registration-refused',
        reason: 'address taken',
        userId,
      });
    });
  });

  // /room

  // room: own-api-keys
  it('has keys that are created, narrowed and revoked', async () => {
    const session = await signIn(ada);
    const made = await session.post('/v1/api-keys', { name: 'x', scopes: ['probes:read', 'probes:write'] });
    const path = `/v1/api-keys/${made.body.id}`;
    for (const [answer, facts] of [
      [made, { event: 'api-key.created', scopes: ['probes:read', 'probes:write'] }],
      [
        await session.patch(path, { scopes: ['probes:read'] }),
        { event: 'api-key.narrowed', scopes: ['probes:read'] },
      ],
      [await session.delete(path), { event: 'api-key.revoked' }],
    ] as const)
      await expectEvent(answer, { level: 'info', userId: ada.id, credentialId: made.body.id, ...facts });
  });

  // /room

  // room: jwt
  it('has refresh tokens: used, malformed, unknown, ended, used again', async () => {
    const start = await jwtOf(ada);
    const refresh = (refreshToken: string) =>
      context.server.anonymous.post('/v1/tokens/refresh', { refreshToken });
    const of = ({ claims }: TokenClient) => ({ userId: ada.id, credentialId: claims['sid'] });
    const refused = { event: 'refresh-token.refused' };
    await expectRefusal(await refresh('x'), { ...refused, reason: 'malformed' });
    await expectRefusal(await refresh(`rt_${UNKNOWN}`), { ...refused, reason: 'unknown' });
    const ended = await jwtOf(ada);
    await ended.delete('/v1/sessions/current');
    await expectRefusal(await refresh(ended.refreshToken), {
      ...refused,
      reason: 'sign-in ended: signed out',
      ...of(ended),
    });
    await expectEvent(await refresh(start.refreshToken), {
      event: 'token.refreshed',
      ...of(start),
    });
    await context.server.clock.advance('11s');
    const replayed = await refresh(start.refreshToken);
    await expectEvent(replayed, { level: 'warn', event: 'refresh-token.reused', ...of(start) });
  });
  // /room
});
