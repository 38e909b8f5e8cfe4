import { describe, expect, it } from '@jest/globals';
// room: users
import {
  signIns,
  // room: tokens
  tokens,
  // /room
} from '../../support/modes/any.js';
// /room
// room: api-keys
import { apiKeyOf } from '../../support/modes/api-key.js';
// /room
// room: jwt
import { jwtOf } from '../../support/modes/jwt.js';
// /room
// room: sessions
import { sessionOf } from '../../support/modes/session.js';
// /room
import { useServer } from '../../support/server.js';

// room: users
/** All scopes of a user, in the order of every answer. */
const USER_SCOPES = [
  'account:security',
  // room: api-keys
  'api-keys:read',
  'api-keys:write',
  // /room
  // room: events
  'events:write',
  // /room
  // room: orders
  'orders:read',
  'orders:write',
  // /room
  // Of the resource that the tests add.
  'probes:read',
  'probes:write',
  'profile:read',
  'profile:write',
  // room: reports
  'reports:read',
  // /room
  'sessions:read',
  'sessions:write',
  // room: oauth
  'tokens:introspect',
  // /room
];
// /room

describe('GET /v1/whoami', () => {
  const context = useServer();

  // room: users
  it.each(signIns)('shows a $mode with all scopes of its user, and the time of the sign-in', async (kind) => {
    const ada = await context.server.person();
    const client = await kind.of(ada);
    const { body: current } = await client.get('/v1/sessions/current');
    const { status, body } = await client.get('/v1/whoami');
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        mode: kind.mode,
        kind: 'person',
        subject: ada.id,
        scopes: USER_SCOPES,
        authTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        amr: ['pwd'],
        credentialId: expect.any(String),
      },
    });
    // A JWT has whole seconds.
    const seconds = (time: string) => Math.floor(Date.parse(time) / 1000);
    expect(seconds(body.authTime)).toBe(seconds(current.createdAt));
  });
  // /room

  // room: sessions
  it('shows the id of a session', async () => {
    const session = await sessionOf(await context.server.person());
    expect((await session.get('/v1/whoami')).body.credentialId).toBe(session.signInId);
  });
  // /room

  // room: jwt
  it('shows the jti of a JWT', async () => {
    const token = await jwtOf(await context.server.person());
    expect((await token.get('/v1/whoami')).body.credentialId).toBe(token.claims['jti']);
  });
  // /room

  // room: tokens
  it.each(tokens)('shows the scopes that a $mode was requested with, and no others', async ({ of }) => {
    const scope = 'probes:write profile:read probes:write';
    const token = await of(await context.server.person(), { scope });
    expect((await token.get('/v1/whoami')).body.scopes).toEqual(['probes:write', 'profile:read']);
  });
  // /room

  // room: api-keys, service-accounts
  it('shows an API key as a machine without a sign-in', async () => {
    const service = await context.server.serviceAccount();
    const key = await apiKeyOf(service, ['probes:read', 'probes:write']);
    const { status, body } = await key.get('/v1/whoami');
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        mode: 'api-key',
        kind: 'service-account',
        subject: service.id,
        scopes: ['probes:read', 'probes:write'],
        authTime: null,
        amr: [],
        credentialId: key.id,
      },
    });
  });
  // /room

  // room: own-api-keys
  it('shows the API key of a person as a machine', async () => {
    const ada = await context.server.person();
    const key = await apiKeyOf(ada, ['probes:read']);
    expect((await key.get('/v1/whoami')).body).toMatchObject({ kind: 'machine', subject: ada.id });
  });
  // /room

  // room: sessions, admin
  it("shows an administrator's scopes on a session", async () => {
    const session = await sessionOf(await context.server.administrator());
    expect((await session.get('/v1/whoami')).body.scopes).toEqual([
      'account:security',
      // room: audit
      'admin:audit',
      // /room
      // room: service-accounts
      'admin:service-accounts',
      // /room
      // room: jwt
      'admin:signing-keys',
      // /room
      'admin:users',
      ...USER_SCOPES.slice(1),
    ]);
  });
  // /room

  // room: tokens, admin
  it.each(tokens)(
    "shows an administrator's scopes on a $mode that asked for them by name",
    async ({ of }) => {
      const grace = await context.server.administrator();
      expect((await (await of(grace)).get('/v1/whoami')).body.scopes).toEqual(USER_SCOPES);
      const asked = await of(grace, { scope: 'admin:users probes:read' });
      expect((await asked.get('/v1/whoami')).body.scopes).toEqual(['admin:users', 'probes:read']);
    },
  );
  // /room

  // room: sessions
  it('shows a new time of authentication after a reauthentication', async () => {
    const ada = await context.server.person();
    const session = await sessionOf(ada);
    const authTime = async (headers = {}) => (await session.get('/v1/whoami', { headers })).body.authTime;
    const before = await authTime();
    await context.server.clock.advance('5m');
    expect(await authTime()).toBe(before);
    const renewed = await session.post('/v1/sessions/current/reauthentication', { password: ada.password });
    const Cookie = `__Host-session=${renewed.cookies['__Host-session']}`;
    expect(Date.parse(await authTime({ Cookie })) - Date.parse(before)).toBeGreaterThanOrEqual(300_000);
    await context.server.clock.reset();
  });
  // /room

  it('names the challenge of every mode to a request without a credential', async () => {
    const answer = await context.server.anonymous.get('/v1/whoami');
    expect(answer).toMatchObject({ status: 401, problem: 'credential-required' });
    expect(answer.challenges).toBe(
      [
        // room: api-keys
        'ApiKey realm="api"',
        // /room
        // room: tokens
        'Bearer realm="api"',
        // /room
        // room: sessions
        'Session realm="api"',
        // /room
      ].join(', '),
    );
  });
});
