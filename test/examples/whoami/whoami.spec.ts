import { describe, expect, it } from '@jest/globals';
import { apiKeyOf } from '../../support/modes/api-key.js';
import { jwtOf } from '../../support/modes/jwt.js';
import { opaqueOf } from '../../support/modes/opaque.js';
import { sessionOf } from '../../support/modes/session.js';
import { useServer } from '../../support/server.js';

/** All that a user may do, in the order of every answer. */
const USER_SCOPES = [
  'account:security',
  'api-keys:read',
  'api-keys:write',
  'events:write',
  'orders:read',
  'orders:write',
  // Of the resource that the tests add.
  'probes:read',
  'probes:write',
  'profile:read',
  'profile:write',
  'reports:read',
  'sessions:read',
  'sessions:write',
  'tokens:introspect',
];

describe('GET /v1/whoami', () => {
  const context = useServer();

  it('shows a session: all that its user may do, and when they signed in', async () => {
    const ada = await context.server.person();
    const session = await sessionOf(ada);
    const { body: current } = await session.get('/v1/sessions/current');
    const { status, body } = await session.get('/v1/whoami');
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        mode: 'session',
        kind: 'person',
        subject: ada.id,
        scopes: USER_SCOPES,
        authTime: current.createdAt,
        amr: ['pwd'],
        credentialId: session.signInId,
      },
    });
  });

  it('shows a token by its jti', async () => {
    const ada = await context.server.person();
    const token = await jwtOf(ada);
    const { status, body } = await token.get('/v1/whoami');
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        mode: 'jwt',
        kind: 'person',
        subject: ada.id,
        scopes: USER_SCOPES,
        authTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        amr: ['pwd'],
        credentialId: token.claims.jti,
      },
    });
    expect(Math.floor(Date.parse(body.authTime) / 1000)).toBe(token.claims.auth_time);
  });

  it('shows the scopes that a token was asked for, and no others', async () => {
    const ada = await context.server.person();
    const token = await jwtOf(ada, { scope: 'orders:write profile:read orders:write' });
    expect((await token.get('/v1/whoami')).body.scopes).toEqual(['orders:write', 'profile:read']);
  });

  it('shows an API key: a machine, which signed in at no time', async () => {
    const ada = await context.server.person();
    const key = await apiKeyOf(ada, ['orders:read', 'events:write']);
    const { status, body } = await key.get('/v1/whoami');
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        mode: 'api-key',
        kind: 'machine',
        subject: ada.id,
        scopes: ['orders:read', 'events:write'],
        authTime: null,
        amr: [],
        credentialId: key.id,
      },
    });
  });

  it("shows an administrator's scopes on a session, and on a token that asked for them by name", async () => {
    const grace = await context.server.administrator();
    const session = await sessionOf(grace);
    expect((await session.get('/v1/whoami')).body.scopes).toEqual([
      'account:security',
      'admin:audit',
      'admin:service-accounts',
      'admin:signing-keys',
      'admin:users',
      ...USER_SCOPES.slice(1),
    ]);
    expect((await (await jwtOf(grace)).get('/v1/whoami')).body.scopes).toEqual(USER_SCOPES);
    const asked = { scope: 'admin:audit orders:read' };
    for (const token of [await jwtOf(grace, asked), await opaqueOf(grace, asked)])
      expect((await token.get('/v1/whoami')).body.scopes).toEqual(['admin:audit', 'orders:read']);
  });

  it('renews the time of authentication with the password, and with nothing else', async () => {
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

  it('names a challenge for every mode where there is no credential', async () => {
    const answer = await context.server.anonymous.get('/v1/whoami');
    expect(answer).toMatchObject({ status: 401, problem: 'credential-required' });
    expect(answer.challenges).toBe('ApiKey realm="api", Bearer realm="api", Session realm="api"');
  });
});
