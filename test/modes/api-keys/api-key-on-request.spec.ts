import { once } from 'node:events';
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { generateKey } from '../../../src/modes/api-keys/api-key.format.js';
import { LookupQuery } from '../../../src/platform/database/lookup-query.js';
import { InProcessServer } from '../../support/in-process.js';
import { apiKeyOf, type KeyClient } from '../../support/modes/api-key.js';
// room: sessions
import { sessionOf } from '../../support/modes/session.js';
// /room
import type { Owner } from '../../support/person.js';
import { useStarted } from '../../support/server.js';

const INVALID = { status: 401, problem: 'invalid-credential' };

/** A GET that can send one header twice, which fetch cannot. */
async function getRaw(url: string, headers: OutgoingHttpHeaders) {
  const [answer] = (await once(request(url, { headers }).end(), 'response')) as [IncomingMessage];
  return { status: answer.statusCode, body: JSON.parse(await text(answer)) };
}

describe('an API key on a request', () => {
  // Without what is remembered of keys, so that each look-up is a query.
  const context = useStarted(() => InProcessServer.start({ env: { CREDENTIAL_CACHE_TTL: '0' } }));
  let owner: Owner;
  let ours: KeyClient;

  beforeAll(async () => {
    owner = await context.server.serviceAccount();
    ours = await apiKeyOf(owner, ['probes:read', 'probes:write']);
  });
  afterEach(() => {
    context.server.clock.reset();
    jest.restoreAllMocks();
  });

  const whoami = (headers: Record<string, string>) =>
    context.server.anonymous.get('/v1/probes/principal', { headers });

  /** Counts the look-ups of keys. They are made all the same. */
  const countLookUps = () => {
    const rows = jest.spyOn(LookupQuery.prototype, 'rows');
    return () => rows.mock.calls.filter(([keys]) => Buffer.isBuffer((keys as unknown[])[0])).length;
  };

  /** Uses another server on the same database. */
  const elsewhere = async (env: Record<string, string>, use: (server: InProcessServer) => Promise<void>) => {
    const database = { url: context.server.config.DATABASE_URL!, drop: async () => undefined };
    const server = await InProcessServer.start({ database, env });
    try {
      await use(server);
    } finally {
      await server.stop();
    }
  };

  it('is read from either header, with its scheme in upper or lower case', async () => {
    const lookUps = countLookUps();
    for (const headers of [
      { 'X-API-Key': ours.key },
      { Authorization: `ApiKey ${ours.key}` },
      { Authorization: `apikey ${ours.key}` },
      { Authorization: `APIKEY    ${ours.key}` },
    ])
      expect(await whoami(headers)).toMatchObject({ status: 200, body: { credentialId: ours.id } });
    expect(lookUps()).toBe(4);
  });

  it('is refused without a query if it is malformed', async () => {
    const { key } = ours;
    const changed = key[20] === 'a' ? 'b' : 'a';
    const lookUps = countLookUps();
    for (const text of [
      '',
      'x',
      'nk_test_([',
      key.slice(0, -1),
      `${key}x`,
      `${key}, ${key}`,
      `ApiKey ${key}`,
      key.toUpperCase(),
      key.slice(0, 20) + changed + key.slice(21), // mistyped: the checksum is another
      generateKey('live').key.reveal(), // of another environment
      'x'.repeat(8000),
    ])
      for (const [name, value] of [
        ['X-API-Key', text],
        ['Authorization', `ApiKey ${text}`],
      ] as const) {
        const answer = await whoami({ [name]: value });
        expect(answer).toMatchObject(INVALID);
        expect(answer.challenges).toContain('ApiKey realm="api"');
      }
    expect(lookUps()).toBe(0);
  });

  it('is refused if it is unknown', async () => {
    const answer = await whoami({ 'X-API-Key': generateKey('test').key.reveal() });
    expect(answer).toMatchObject(INVALID);
  });

  it('accepts spaces before the key, and no other white space', async () => {
    expect((await whoami({ Authorization: `ApiKey   ${ours.key}` })).status).toBe(200);
    for (const headers of [
      { Authorization: `ApiKey \u00a0${ours.key}` },
      { Authorization: `ApiKey ${ours.key}\u00a0` },
      { 'X-API-Key': `\u00a0${ours.key}` },
    ])
      expect(await whoami(headers as Record<string, string>)).toMatchObject(INVALID);
    expect((await whoami({ Authorization: `ApiKey\u00a0${ours.key}` })).problem).toBe('mode-not-accepted');
  });

  it('is refused beside another, also beside itself', async () => {
    const { key } = ours;
    for (const headers of [
      { 'X-API-Key': [key, key] },
      { 'X-API-Key': ['', key] },
      { 'X-API-Key': key, Authorization: `ApiKey ${key}` },
      { 'X-API-Key': key, Authorization: 'Bearer x' },
      { Authorization: [`ApiKey ${key}`, `ApiKey ${key}`] },
    ])
      expect(await getRaw(`${context.server.url}/v1/probes/principal`, headers)).toMatchObject({
        status: 400,
        body: { type: '/problems/ambiguous-credentials' },
      });
  });

  // room: sessions
  it('wins over a cookie, valid or not, and needs no CSRF token', async () => {
    const { cookie } = await sessionOf(await context.server.person());
    const Cookie = `__Host-session=${cookie}`;
    const both = { Cookie, 'X-API-Key': ours.key };
    expect(await whoami(both)).toMatchObject({ status: 200, body: { mode: 'api-key' } });
    expect(await whoami({ Cookie, 'X-API-Key': 'x' })).toMatchObject(INVALID);
    const placed = await context.server.anonymous.post('/v1/probes', { note: 'Tea' }, { headers: both });
    expect(placed.status).toBe(201);
  });
  // /room

  // room: own-api-keys
  it('[V7.2.2] is refused by every route for people', async () => {
    const strong = await apiKeyOf(await context.server.person(), [
      'profile:read',
      'profile:write',
      'sessions:read',
      'sessions:write',
      'api-keys:read',
      'api-keys:write',
    ]);
    for (const route of [
      'PATCH /v1/users/me',
      'PUT /v1/users/me/password',
      'GET /v1/sessions',
      'DELETE /v1/sessions',
      'GET /v1/sessions/current',
      'DELETE /v1/sessions/current',
      'POST /v1/sessions/current/reauthentication',
      `DELETE /v1/sessions/${strong.id}`,
      'POST /v1/api-keys',
      'GET /v1/api-keys',
      `GET /v1/api-keys/${strong.id}`,
      `PATCH /v1/api-keys/${strong.id}`,
      `DELETE /v1/api-keys/${strong.id}`,
      // room: sessions
      'GET /v1/sessions/current/csrf-token',
      // /room
      // room: admin
      'GET /v1/admin/users',
      // /room
    ]) {
      const [method, path] = route.split(' ') as [string, string];
      const { status, problem, challenges } = await strong.call(method, path);
      expect([route, status, problem]).toEqual([route, 401, 'mode-not-accepted']);
      expect(challenges).not.toContain('ApiKey');
    }
  });
  // /room

  it('is refused from its expiry on', async () => {
    const key = await apiKeyOf(owner, ['probes:read'], {
      expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
    });
    context.server.clock.advance('23h');
    expect((await key.get('/v1/probes/principal')).status).toBe(200);
    context.server.clock.advance('1h');
    expect(await key.get('/v1/probes/principal')).toMatchObject(INVALID);
  });

  it('is refused while its owner is disabled', async () => {
    const service = await context.server.serviceAccount();
    const key = await apiKeyOf(service, ['probes:read']);
    const set = (status: string) =>
      context.server.query('UPDATE service_accounts SET status = $2 WHERE id = $1', [service.id, status]);
    expect((await key.get('/v1/probes/principal')).status).toBe(200);
    await set('disabled');
    expect(await key.get('/v1/probes/principal')).toMatchObject(INVALID);
    await set('active');
    expect((await key.get('/v1/probes/principal')).status).toBe(200);
  });

  describe('at another server on the same database', () => {
    it('works, and its last use is written before that server stops', async () => {
      const key = await apiKeyOf(owner, ['probes:read']);
      const lastUsedAt = async (): Promise<Date> =>
        (await context.server.query('SELECT last_used_at FROM api_keys WHERE id = $1', [key.id]))[0]
          .last_used_at;
      const before = Date.now();
      await elsewhere({}, async ({ anonymous }) => {
        const answer = await anonymous.get('/v1/probes/principal', { headers: key.headers });
        expect(answer).toMatchObject({ status: 200, body: { credentialId: key.id } });
      });
      expect((await lastUsedAt()).getTime()).toBeGreaterThanOrEqual(before);
    });

    it('is refused by a server of another environment', async () => {
      await elsewhere({ API_KEY_ENVIRONMENT: 'staging' }, async (server) => {
        expect(await server.anonymous.get('/v1/probes/principal', { headers: ours.headers })).toMatchObject(
          INVALID,
        );
        const theirs = await apiKeyOf(await server.serviceAccount('Staging'), ['probes:read']);
        expect(theirs.key).toMatch(/^nk_staging_/);
        expect((await theirs.get('/v1/probes/principal')).status).toBe(200);
        expect(await whoami({ 'X-API-Key': theirs.key })).toMatchObject(INVALID);
      });
    });
  });
});
