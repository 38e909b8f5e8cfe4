import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
// room: users
import type { Answer } from '../../support/client.js';
import { signIn } from '../../support/modes/any.js';
// /room
// room: service-accounts
import { apiKeyOf } from '../../support/modes/api-key.js';
// /room
import { SecretKeeper } from '../../support/secret-keeper.js';
import { useServer } from '../../support/server.js';
import type { Scribe, SecretAtHand } from './logging.fixture.js';

const JSON_BODY = { 'Content-Type': 'application/json' };

/** The same secret, mistyped in its last character. */
const mistyped = (secret: string) => secret.slice(0, -1) + (secret.endsWith('A') ? 'B' : 'A');

describe('secrets', () => {
  const context = useServer({ fixture: 'test/platform/logging/logging.fixture.ts#logging' });

  // room: users
  const email = `${randomUUID()}@example.com`;
  const password = `a password of ${randomUUID()}`;
  const signedUp = { email, password };
  // /room

  /** One of each kind. Also checks that the answer that makes a secret contains that secret and no other. */
  async function makeOneOfEach(keeper: SecretKeeper): Promise<Record<string, string>> {
    const made: Record<string, string> = {};
    // room: users
    const { anonymous } = context.server;
    keeper.keep(password);
    await anonymous.post('/v1/users', signedUp);
    const verification = await context.server.mailedToken(email);
    keeper.keep(verification);
    Object.assign(made, { password, verification });

    const expectOnly = (answer: Answer, secrets: Record<string, string>) => {
      expect(answer.status).toBe(201);
      for (const secret of Object.values(secrets)) keeper.keep(secret);
      const { headers, body } = answer;
      expect(new Set(keeper.foundIn(JSON.stringify([...headers, body])))).toEqual(
        new Set(Object.values(secrets)),
      );
      Object.assign(made, secrets);
    };
    // /room

    // room: sessions
    const signedIn = await anonymous.post('/v1/sessions', signedUp);
    const cookie = signedIn.cookies['__Host-session']!;
    expectOnly(signedIn, { cookie, csrfToken: signedIn.body.csrfToken });
    expect(JSON.stringify(signedIn.body)).not.toContain(cookie);
    // /room

    // room: tokens
    const inCookie = await anonymous.post('/v1/tokens', { ...signedUp, refreshIn: 'cookie' });
    const refreshCookie = inCookie.cookies['__Host-refresh']!;
    expectOnly(inCookie, { otherAccessToken: inCookie.body.access_token, refreshCookie });
    expect(JSON.stringify(inCookie.body)).not.toContain(refreshCookie);

    const pair = await anonymous.post('/v1/tokens', signedUp);
    const { access_token: accessToken, refresh_token: refreshToken } = pair.body;
    expectOnly(pair, { accessToken, refreshToken });
    // /room

    // room: own-api-keys
    const person = await signIn(await context.server.person());
    const key = await person.post('/v1/api-keys', { name: 'A test', scopes: ['probes:read'] });
    expectOnly(key, { key: key.body.key });
    // /room
    // room: service-accounts
    made['serviceKey'] = (await apiKeyOf(await context.server.serviceAccount(), ['probes:read'])).key;
    // /room
    made['unknown'] = randomUUID();
    for (const secret of Object.values(made)) {
      keeper.keep(secret);
      keeper.keep(mistyped(secret));
    }
    return made;
  }

  it('[V16.2.5] are in no log, in no table, and in no answer but the one that makes them', async () => {
    const keeper = new SecretKeeper();
    const secrets = await makeOneOfEach(keeper);
    const each = Object.values(secrets).flatMap((secret) => [secret, mistyped(secret)]);
    const statuses = new Set<number>();
    const said: string[] = [];
    const send = async (
      method: string,
      path: string,
      headers: Record<string, string> = {},
      body?: string,
    ) => {
      const answer = await fetch(context.server.url + path, {
        method,
        headers,
        ...(body !== undefined && { body }),
      });
      statuses.add(answer.status);
      said.push(`${method} ${answer.status} ${JSON.stringify([...answer.headers])} ${await answer.text()}`);
    };
    const post = (path: string, body: unknown, headers = {}) =>
      send(
        'POST',
        path,
        { ...JSON_BODY, ...headers },
        typeof body === 'string' ? body : JSON.stringify(body),
      );
    const Cookie = `__Host-session=${secrets['cookie'] ?? 'x'}`;

    // In every header, good and bad, beside a good session.
    for (const secret of each)
      await Promise.all(
        [
          { Authorization: `Bearer ${secret}` },
          { Authorization: `Bearer ${secret} ${secret}` },
          { Authorization: `ApiKey ${secret}` },
          { Authorization: `Basic ${Buffer.from(`:${secret}`).toString('base64')}` },
          { Authorization: secret },
          { 'X-API-Key': secret },
          { 'X-API-Key': secret, Authorization: `Bearer ${secret}` },
          { Cookie: `__Host-session=${secret}` },
          { Cookie: `${Cookie}; __Host-session=${secret}` },
          { Cookie: `${Cookie}; __Host-refresh=${secret}` },
          { Cookie: `__Host-refresh=${secret}; __Host-refresh=${secret}` },
          { 'X-CSRF-Token': secret },
          { Origin: secret },
          { 'Sec-Fetch-Site': secret },
          { 'User-Agent': secret },
          { 'X-Request-Id': secret },
          { 'X-Forwarded-For': secret },
          { Accept: secret },
        ].map((headers) => send('DELETE', `/v1/probes/${randomUUID()}`, { Cookie, ...headers })),
      );

    // In every part of the URL.
    for (const secret of each.map(encodeURIComponent))
      await Promise.all(
        [
          `/${secret}`,
          `/v1/probes/${secret}`,
          `/v1/probes?cursor=${secret}`,
          `/v1/probes?token=${secret}`,
          `/v1/probes/principal?x=${secret}%ff`,
          `/v1/${secret}%ff`,
          `/problems/${secret}`,
          `/docs/${secret}`,
          `/verify?t=${secret}`,
        ].flatMap((path) => [send('GET', path, { Cookie }), send('PATCH', path, { Cookie })]),
      );

    // In bodies that are refused.
    const refuse = async (secret: string) => {
      await post('/v1/probes/echo', `{"note":"x","more":"${secret}"`);
      await post('/v1/probes/echo', `{"__proto__":{"more":"${secret}"}}`);
      await post('/v1/probes/echo', { note: [secret], more: secret });
      await post('/v1/probes/echo', { note: secret + 'x'.repeat(100_000) });
      await post('/v1/probes/echo', { note: secret }, { 'Content-Type': 'text/plain' });
      // room: users
      await post('/v1/users', { email: 'x@example.com', password: secret, name: { secret } });
      await send('PUT', '/v1/email-verifications', JSON_BODY, JSON.stringify({ token: secret }));
      await post('/v1/email-verifications', { email: secret });
      // /room
      // room: sessions
      await post('/v1/sessions', { ...signedUp, password: [secret], email: secret });
      await post('/v1/sessions', { ...signedUp, password: secret, remember: secret });
      await post('/v1/sessions', { ...signedUp, password: secret }, { Origin: 'https://evil.example' });
      // /room
      // room: tokens
      await post('/v1/tokens', { ...signedUp, scope: secret, format: secret, refreshIn: secret });
      await post('/v1/tokens', { ...signedUp, resource: secret });
      await post('/v1/tokens/refresh', { refreshToken: secret }, { Cookie: `__Host-refresh=${secret}` });
      await post('/v1/tokens/refresh', {}, { Cookie: `__Host-refresh=${secret}` });
      await post('/v1/tokens/refresh', { refreshToken: secret });
      // /room
      // room: own-api-keys
      await post('/v1/api-keys', { name: 'x', scopes: ['probes:read'] }, { 'X-API-Key': secret });
      // /room
    };
    await Promise.all(each.map(refuse));
    // room: sessions
    const person = { Cookie, 'X-CSRF-Token': secrets['csrfToken']! };
    for (const wrong of [mistyped(password), secrets['unknown']!]) {
      await post('/v1/sessions', { email, password: wrong });
      await post('/v1/sessions/current/reauthentication', { password: wrong }, person);
      const change = JSON.stringify({ currentPassword: wrong, newPassword: password });
      await send('PUT', '/v1/users/me/password', { ...JSON_BODY, ...person }, change);
    }
    // room: own-api-keys
    for (const secret of each)
      await post('/v1/api-keys', { name: 'x', scopes: [secret], expiresAt: secret }, person);
    // /room
    // /room
    // room: tokens
    await post('/v1/tokens', { email: 'nobody@example.com', password: mistyped(password) });
    const Authorization = `Bearer ${secrets['accessToken']}`;
    await post('/v1/probes', { note: secrets['accessToken'], more: 1 }, { Authorization });
    // /room
    // room: own-api-keys
    await post('/v1/probes', { note: 'Tea' }, { 'X-API-Key': secrets['key']! });
    // /room
    // room: service-accounts
    await send('GET', '/v1/probes', { 'X-API-Key': secrets['serviceKey']! });
    // /room
    await context.server.provider<SecretAtHand>('SecretAtHand').set(each[0]!);
    await post('/broken/query', { secret: each[0] });
    await post('/broken/code', { secret: each[0] });

    expect([...statuses].toSorted((a, b) => a - b)).toEqual(
      expect.arrayContaining([200, 400, 401, 404, 405, 413, 415, 500]),
    );
    expect(said.filter((text) => keeper.foundIn(text).length > 0)).toEqual([]);
    // room: own-api-keys
    expect(statuses).toContain(403);
    // /room
    expect(keeper.foundIn((await context.server.log()).join(''))).toEqual([]);
    expect(await keeper.foundInTables(context.server)).toEqual([]);
  });

  it('are found if they are logged or stored', async () => {
    const { server } = context;
    const keeper = new SecretKeeper();
    const planted = `planted ${randomUUID()}`;
    keeper.keep(planted);
    await server.provider<Scribe>('Scribe').warn({ note: `it is ${planted}.` }, 'note');
    expect(keeper.foundIn((await server.log()).join(''))).toEqual([planted]);

    await server.query(`CREATE TABLE as_text AS SELECT $1::text AS note`, [`it is ${planted}.`]);
    await server.query('CREATE TABLE as_bytes AS SELECT $1::bytea AS note', [Buffer.from(planted)]);
    await server.query('CREATE TABLE as_json AS SELECT $1::jsonb AS note', [JSON.stringify({ planted })]);
    expect((await keeper.foundInTables(server)).toSorted()).toEqual(
      ['as_bytes', 'as_json', 'as_text'].map((table) => `${table}: ${planted}`),
    );
    await server.query('DROP TABLE as_text, as_bytes, as_json');
  });

  const NAMES = [
    'authorization',
    'cookie',
    'cookies',
    // room: sessions
    '__Host-session',
    // /room
    // room: tokens
    '__Host-refresh',
    'refreshToken',
    'refresh_token',
    // /room
    // room: oauth
    'client_secret',
    // /room
    'password',
    'secret',
    'token',
    // room: api-keys
    'key',
    // /room
  ];

  it.each(NAMES)('are redacted if code logs one as `%s`', async (name) => {
    const { server } = context;
    const secret = randomUUID();
    const scribe = server.provider<Scribe>('Scribe');
    await scribe.warn({ [name]: secret, body: { [name]: secret } }, `careless with ${name}`);
    // As @fastify/cookie reads them.
    if (name.startsWith('__Host-'))
      await scribe.warn({ cookies: { [name]: secret }, request: { cookies: { [name]: secret } } }, name);
    const log = (await server.log()).join('');
    expect(log).toContain(`careless with ${name}`);
    expect(log).not.toContain(secret);
  });
});
