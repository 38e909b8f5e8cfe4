import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { generateKey } from '../../../src/modes/api-keys/api-key.format.js';
import type { Answer, Client } from '../../support/client.js';
import { apiKeyOf } from '../../support/modes/api-key.js';
import { jwtOf, type TokenClient } from '../../support/modes/jwt.js';
import { opaqueOf } from '../../support/modes/opaque.js';
import { type SessionClient, sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import { TestServer, useServer } from '../../support/server.js';

const COOKIE = '__Host-session';
/** Looks behind a JWT. */
const LIVE = '/v1/reports/summary';
const ORDER = { note: 'Tea' };
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

async function signedOut<C extends Client>(client: C): Promise<C> {
  await client.delete('/v1/sessions/current');
  return client;
}

describe('the security log', () => {
  const context = useServer();
  let ada: Person;
  let session: SessionClient;

  beforeAll(async () => {
    ada = await context.server.person();
    session = await sessionOf(ada);
  });
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

  const who = () => ({ userId: ada.id, mode: 'session', credentialId: session.signInId });

  const post = (path: string, body: object) => context.server.anonymous.post(path, body);
  const whoami = (headers: Record<string, string>) =>
    context.server.anonymous.get('/v1/probes/principal', { headers });
  const byKey = (key: string) => whoami({ 'X-API-Key': key });
  const byCookie = (value: string) => whoami({ Cookie: `${COOKIE}=${value}` });
  const byToken = (token: string) => whoami({ Authorization: `Bearer ${token}` });
  const later = async <T>(duration: string, result: T): Promise<T> => {
    await context.server.clock.advance(duration);
    return result;
  };
  /** A token that was good a moment ago, and is remembered. */
  const used = async (duration: string): Promise<Answer> => {
    const token = await jwtOf(ada);
    await token.get('/v1/probes/principal');
    return (await later(duration, token)).get('/v1/probes/principal');
  };
  /** Of a disabled user, whose status alone is changed: that an administrator ends the sign-ins too is another reason. */
  const disabled = async (
    use: (person: Person) => Promise<Client>,
    path = '/v1/probes/principal',
  ): Promise<Answer> => {
    const person = await context.server.person();
    const client = await use(person);
    await context.server.query(`UPDATE users SET status = 'disabled' WHERE id = $1`, [person.id]);
    return client.get(path);
  };

  describe('of a credential that is refused', () => {
    it.each<[string, () => Promise<Answer>]>([
      ['malformed key', () => byKey('nk_test_x')],
      ['checksum of the key', () => byKey(`nk_test_${'a'.repeat(49)}`)],
      ['key of another environment', () => byKey(generateKey('live').key.reveal())],
      ['unknown key', () => byKey(generateKey('test').key.reveal())],
      ['malformed session cookie', () => byCookie('x')],
      ['unknown session', () => byCookie(UNKNOWN)],
      ['two session cookies', () => byCookie(`${UNKNOWN}; ${COOKIE}=${UNKNOWN}`)],
      ['sign-in ended: signed out', async () => byCookie((await signedOut(await sessionOf(ada))).cookie)],
      ['sign-in idle for too long', async () => byCookie(await later('25h', (await sessionOf(ada)).cookie))],
      ['sign-in expired', async () => byCookie(await later('8d', (await sessionOf(ada)).cookie))],
      ['user disabled', () => disabled((person) => sessionOf(person))],
      ['not one bearer token', () => byToken('a b')],
      ['not three canonical base64url segments', () => byToken('a.b')],
      ['token expired', async () => byToken(await later('10m', (await jwtOf(ada)).accessToken))],
      // The feed knows that it ended, not why.
      ['sign-in ended', async () => byToken((await signedOut(await jwtOf(ada))).accessToken)],
      ['sign-in ended: signed out', async () => byToken((await signedOut(await opaqueOf(ada))).accessToken)],
      ['user disabled', () => disabled((person) => jwtOf(person), LIVE)],
      ['user disabled', () => disabled((person) => opaqueOf(person))],
      ['token expired', () => used('10m')],
    ])('says precisely: %s', async (reason, act) => {
      const answer = await act();
      expect(answer).toMatchObject({ status: 401, problem: 'invalid-credential' });
      await expectRefusal(answer, { event: 'request.refused', problem: 'invalid-credential', reason });
    });

    it('names the key that is revoked, expired, or of a disabled owner', async () => {
      const [revoked, expired] = [
        await apiKeyOf(ada, ['probes:read']),
        await apiKeyOf(ada, ['probes:read'], { expiresAt: new Date(Date.now() + 60_000).toISOString() }),
      ];
      await session.delete(`/v1/api-keys/${revoked.id}`);
      await expectEvent(await byKey(revoked.key), { reason: `key revoked: ${revoked.id}` });
      await context.server.clock.advance('1m');
      await expectEvent(await byKey(expired.key), { reason: `key expired: ${expired.id}` });
      await expectEvent(await disabled((person) => apiKeyOf(person, ['probes:read'])), {
        reason: expect.stringMatching(/^owner of the key disabled: [0-9a-f-]{36}$/),
      });
    });

    it('tells one kind of missing or unwanted credential from another', async () => {
      const { anonymous } = context.server;
      const jwt = await jwtOf(ada);
      for (const [answer, problem] of [
        [await anonymous.get('/v1/probes/principal'), 'credential-required'],
        [await jwt.post('/v1/events', { type: 'x' }), 'mode-not-accepted'],
        [await jwt.with({ 'X-API-Key': 'x' }).get('/v1/probes/principal'), 'ambiguous-credentials'],
      ] as const)
        await expectRefusal(answer, { event: 'request.refused', problem });
    });
  });

  describe('of a request that is refused to a good credential', () => {
    it.each<[string, Record<string, string>]>([
      ['no X-CSRF-Token', {}],
      ['wrong X-CSRF-Token', { 'X-CSRF-Token': UNKNOWN }],
      ['foreign Origin', { Origin: 'https://evil.example' }],
      ['Sec-Fetch-Site: cross-site', { 'Sec-Fetch-Site': 'cross-site' }],
      ['unknown Sec-Fetch-Site', { 'Sec-Fetch-Site': 'made-up' }],
    ])('says precisely: %s', async (reason, headers) => {
      const answer = await context.server.anonymous.post('/v1/probes', ORDER, {
        headers: { Cookie: `${COOKIE}=${session.cookie}`, ...headers },
      });
      await expectRefusal(answer, { event: 'request.refused', problem: 'csrf', reason, ...who() });
    });

    it('names who lacks which scopes, and whose sign-in is too old', async () => {
      const jwt = await jwtOf(ada, { scope: 'api-keys:write' });
      const by = { userId: ada.id, mode: 'jwt', credentialId: jwt.claims['jti'] };
      const placed = await jwt.post('/v1/probes', ORDER);
      await expectEvent(placed, { event: 'request.refused', reason: 'missing probes:write', ...by });
      const made = await jwt.post('/v1/api-keys', { name: 'x', scopes: ['probes:read', 'events:write'] });
      await expectRefusal(made, {
        event: 'api-key.creation-refused',
        reason: 'missing probes:read events:write',
        ...by,
      });
      await context.server.clock.advance('11m');
      const late = await session.post('/v1/api-keys', { name: 'x', scopes: ['probes:read'] });
      await expectEvent(late, { problem: 'insufficient-user-authentication', ...who() });
    });
  });

  describe('of what people do with their passwords', () => {
    it.each(['/v1/sessions', '/v1/tokens'])('says precisely why POST %s was refused', async (path) => {
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
        await expectRefusal(await post(path, body), { event: 'sign-in.refused', ...facts });
    });

    it('says that an address is not verified, where that is required', async () => {
      const database = { url: context.server.config.DATABASE_URL!, drop: async () => undefined };
      const server = await TestServer.start({ database, env: { REQUIRE_VERIFIED_EMAIL: 'on' } });
      const body = { email: 'unverified@example.com', password: ada.password };
      try {
        await server.anonymous.post('/v1/users', body);
        const events = await eventsOf(await server.anonymous.post('/v1/sessions', body), server);
        expect(events).toMatchObject([{ event: 'sign-in.refused', reason: 'address not verified' }]);
      } finally {
        await server.stop();
      }
    });

    it('tells of sign-ins, their ends, and of passwords', async () => {
      const grace = await context.server.person();
      const credentials = { email: grace.email, password: grace.password };
      const [byCookie, byToken] = [await sessionOf(grace), await jwtOf(grace)];
      const about = { userId: grace.id, credentialId: byCookie.signInId };
      const wrong = 'not the password';
      const newPassword = 'another horse, another battery';
      for (const [answer, facts] of [
        [await post('/v1/sessions', credentials), { event: 'sign-in.succeeded', carrier: 'cookie' }],
        [await post('/v1/tokens', credentials), { event: 'sign-in.succeeded', carrier: 'token' }],
        [await byToken.delete('/v1/sessions/current'), { event: 'sign-in.ended', reason: 'signed out' }],
        [await byCookie.delete('/v1/sessions'), { event: 'sign-in.all-ended', reason: 'ended by the user' }],
        [
          await byCookie.post('/v1/sessions/current/reauthentication', { password: wrong }),
          { event: 'reauthentication.refused', reason: 'wrong password' },
        ],
        [
          await byCookie.put('/v1/users/me/password', { currentPassword: wrong, newPassword }),
          { event: 'password.change-refused', reason: 'wrong password' },
        ],
        [
          await byCookie.post('/v1/sessions/current/reauthentication', { password: grace.password }),
          { event: 'reauthentication.succeeded', ...about },
        ],
      ] as const)
        await expectEvent(answer, { userId: grace.id, ...facts });

      const again = await sessionOf(grace);
      const body = { currentPassword: grace.password, newPassword };
      const changed = await again.put('/v1/users/me/password', body);
      await expectEvent(changed, { event: 'password.changed', userId: grace.id });
      await expectEvent(changed, {
        event: 'sign-in.all-ended',
        userId: grace.id,
        reason: 'password changed',
      });
    });

    it('tells of registrations and of addresses that are verified', async () => {
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

  it('tells of keys: made, narrowed, revoked', async () => {
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

  it('tells of refresh tokens: used, malformed, unknown, ended, used again', async () => {
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
});
