import { randomUUID } from 'node:crypto';
import { Body, Controller, Inject, Module, Post } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Public } from '../../../src/auth/authenticated.decorator.js';
import { LOGGER } from '../../../src/platform/logging/logger.js';
import type { Answer } from '../../support/client.js';
import { InProcessServer } from '../../support/in-process.js';
import { SecretKeeper } from '../../support/secret-keeper.js';
import { useStarted } from '../../support/server.js';

/** Something that goes wrong while a secret is at hand. */
@Controller('broken')
class BrokenController {
  static secret: string;
  constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

  @Post('query')
  @Public()
  query(@Body({ schema: z.unknown() }) _body: unknown) {
    return this.dataSource.query('INSERT INTO nowhere VALUES ($1)', [BrokenController.secret]);
  }

  @Post('code')
  @Public()
  code(@Body({ schema: z.unknown() }) _body: unknown): never {
    throw Object.assign(new Error('unforeseen'), { secret: BrokenController.secret });
  }
}

@Module({ controllers: [BrokenController] })
class BrokenModule {}

const JSON_BODY = { 'Content-Type': 'application/json' };

/** The same secret, mistyped in its last character. */
const mistyped = (secret: string) => secret.slice(0, -1) + (secret.endsWith('A') ? 'B' : 'A');

describe('secrets', () => {
  const context = useStarted(() => InProcessServer.start({ modules: [BrokenModule] }));

  /** One of each kind. Also checks that the answer that makes one says that one, and no other. */
  async function makeOneOfEach(keeper: SecretKeeper) {
    const { anonymous } = context.server;
    const email = `${randomUUID()}@example.com`;
    const password = `a password of ${randomUUID()}`;
    keeper.keep(password);
    await anonymous.post('/v1/users', { email, password });
    const verification = await context.server.mailedToken(email);
    keeper.keep(verification);

    const expectToSay = (answer: Answer, secrets: string[]) => {
      expect(answer.status).toBe(201);
      for (const secret of secrets) keeper.keep(secret);
      const { headers, body } = answer;
      expect(new Set(keeper.foundIn(JSON.stringify([...headers, body])))).toEqual(new Set(secrets));
    };

    const signedIn = await anonymous.post('/v1/sessions', { email, password });
    const cookie = signedIn.cookies['__Host-session']!;
    const { csrfToken } = signedIn.body;
    expectToSay(signedIn, [cookie, csrfToken]);
    expect(JSON.stringify(signedIn.body)).not.toContain(cookie);

    const pair = await anonymous.post('/v1/tokens', { email, password });
    const { access_token: accessToken, refresh_token: refreshToken } = pair.body;
    expectToSay(pair, [accessToken, refreshToken]);

    const inCookie = await anonymous.post('/v1/tokens', { email, password, refreshIn: 'cookie' });
    const refreshCookie = inCookie.cookies['__Host-refresh']!;
    expectToSay(inCookie, [inCookie.body.access_token, refreshCookie]);
    expect(JSON.stringify(inCookie.body)).not.toContain(refreshCookie);

    const made = await anonymous.post(
      '/v1/api-keys',
      { name: 'A test', scopes: ['probes:read'] },
      { headers: { Authorization: `Bearer ${accessToken}` } },
    );
    const { key } = made.body;
    expectToSay(made, [key]);

    const secrets = {
      password,
      verification,
      cookie,
      csrfToken,
      accessToken,
      refreshToken,
      refreshCookie,
      key,
    };
    for (const secret of Object.values(secrets)) keeper.keep(mistyped(secret));
    return { ...secrets, email };
  }

  it('stand in no log, in no table, and in no answer but the one that makes them', async () => {
    const keeper = new SecretKeeper();
    const { email, ...secrets } = await makeOneOfEach(keeper);
    const { password, cookie, csrfToken, accessToken, key } = secrets;
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
    const Cookie = `__Host-session=${cookie}`;

    // In every header, good and bad, beside a good session.
    for (const secret of each)
      for (const headers of [
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
      ])
        await send('DELETE', '/v1/probes/01900000-0000-7000-8000-000000000000', { Cookie, ...headers });

    // In every part of the URL.
    for (const secret of each.map(encodeURIComponent))
      for (const path of [
        `/${secret}`,
        `/v1/probes/${secret}`,
        `/v1/probes?cursor=${secret}`,
        `/v1/probes?token=${secret}`,
        `/v1/probes/principal?x=${secret}%ff`,
        `/v1/${secret}%ff`,
        `/problems/${secret}`,
        `/docs/${secret}`,
        `/verify?t=${secret}`,
      ]) {
        await send('GET', path, { Cookie });
        await send('PATCH', path, { Cookie });
      }

    // In bodies that are refused, and in one that is not.
    const person = { Cookie, 'X-CSRF-Token': csrfToken };
    const credentials = { email, password };
    for (const secret of each) {
      await post('/v1/sessions', `{"email":"${email}","password":"${secret}"`);
      await post('/v1/sessions', `{"__proto__":{"password":"${secret}"}}`);
      await post('/v1/sessions', { ...credentials, password: [secret], email: secret });
      await post('/v1/sessions', { ...credentials, password: secret, remember: secret });
      await post('/v1/sessions', { ...credentials, password: secret + 'x'.repeat(100_000) });
      await post('/v1/sessions', { ...credentials, password: secret }, { 'Content-Type': 'text/plain' });
      await post('/v1/sessions', { ...credentials, password: secret }, { Origin: 'https://evil.example' });
      await post('/v1/users', { email: 'x@example.com', password: secret, name: { secret } });
      await post('/v1/tokens', { ...credentials, scope: secret, format: secret, refreshIn: secret });
      await post('/v1/tokens', { ...credentials, resource: secret });
      await post('/v1/tokens/refresh', { refreshToken: secret }, { Cookie: `__Host-refresh=${secret}` });
      await post('/v1/tokens/refresh', {}, { Cookie: `__Host-refresh=${secret}` });
      await post('/v1/tokens/refresh', { refreshToken: secret });
      await post('/v1/api-keys', { name: 'x', scopes: [secret], expiresAt: secret }, person);
      await post('/v1/api-keys', { name: 'x', scopes: ['probes:read'] }, { 'X-API-Key': secret });
      await send('PUT', '/v1/email-verifications', JSON_BODY, JSON.stringify({ token: secret }));
      await post('/v1/email-verifications', { email: secret });
    }
    for (const wrong of [mistyped(password), key]) {
      await post('/v1/sessions', { email, password: wrong });
      await post('/v1/tokens', { email: 'nobody@example.com', password: wrong });
      await post('/v1/sessions/current/reauthentication', { password: wrong }, person);
      const change = JSON.stringify({ currentPassword: wrong, newPassword: password });
      await send('PUT', '/v1/users/me/password', { ...JSON_BODY, ...person }, change);
    }
    await post('/v1/probes', { note: 'Tea' }, { 'X-API-Key': key });
    await post('/v1/events', { type: 'x' }, { Authorization: `Bearer ${accessToken}` });
    BrokenController.secret = password;
    await post('/broken/query', credentials);
    await post('/broken/code', credentials);

    expect([...statuses].toSorted((a, b) => a - b)).toEqual(
      expect.arrayContaining([200, 400, 401, 403, 404, 405, 413, 415, 500]),
    );
    expect(said.filter((text) => keeper.foundIn(text).length > 0)).toEqual([]);
    expect(keeper.foundIn(context.server.log.join(''))).toEqual([]);
    expect(await keeper.foundInTables(context.server.dataSource)).toEqual([]);
  });

  it('would be found, had they been logged or stored', async () => {
    const { app, log } = context.server;
    const dataSource = context.server.dataSource;
    const keeper = new SecretKeeper();
    const planted = `planted ${randomUUID()}`;
    keeper.keep(planted);
    app
      .get<{ info(facts: object, message: string): void }>(LOGGER)
      .info({ note: `it is ${planted}.` }, 'note');
    expect(keeper.foundIn(log.join(''))).toEqual([planted]);

    await dataSource.query('CREATE TABLE as_text AS SELECT $1::text AS note', [`it is ${planted}.`]);
    await dataSource.query('CREATE TABLE as_bytes AS SELECT $1::bytea AS note', [Buffer.from(planted)]);
    await dataSource.query('CREATE TABLE as_json AS SELECT $1::jsonb AS note', [JSON.stringify({ planted })]);
    expect((await keeper.foundInTables(dataSource)).toSorted()).toEqual(
      ['as_bytes', 'as_json', 'as_text'].map((table) => `${table}: ${planted}`),
    );
    await dataSource.query('DROP TABLE as_text, as_bytes, as_json');
  });

  it('are redacted, should somebody log one by its name', async () => {
    const { app, log } = context.server;
    const secret = randomUUID();
    const logger = app.get<Logger>(LOGGER);
    const names = [
      'authorization',
      'cookie',
      'cookies',
      '__Host-session',
      '__Host-refresh',
      'client_secret',
      'password',
      'secret',
      'token',
      'refreshToken',
      'refresh_token',
      'key',
    ];
    for (const name of names) logger.info({ [name]: secret, body: { [name]: secret } }, 'careless');
    // As @fastify/cookie reads them.
    for (const name of ['__Host-session', '__Host-refresh'])
      logger.info({ cookies: { [name]: secret }, request: { cookies: { [name]: secret } } }, 'careless');
    expect(log.filter((line) => line.includes('careless'))).toHaveLength(names.length + 2);
    expect(log.join('')).not.toContain(secret);
  });
});
