import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { Authenticated } from '../../src/auth/authenticated.decorator.js';
import { Client } from '../support/client.js';
import { basic, postForm } from '../support/form.js';
import { InProcessServer } from '../support/in-process.js';
import { apiKeyOf } from '../support/modes/api-key.js';
import { jwtOf } from '../support/modes/jwt.js';
import { sessionOf } from '../support/modes/session.js';
import { pipeline } from '../support/raw-http.js';
import { PASSWORD, useStarted } from '../support/server.js';

@Controller('costs')
class CostsController {
  @Get('plain')
  @Authenticated({ modes: 'any' })
  plain() {}

  @Get('live')
  @Authenticated({ modes: ['jwt'], live: true })
  live() {}
}

@Module({ controllers: [CostsController] })
class CostsModule {}

/** What is read on the way of a request; the heartbeat of the feed and what is written behind are nobody's request. */
const isLookup = (text: string) =>
  /^\s*(SELECT|WITH)\b/i.test(text) && !/^SELECT$|pg_notify|\b(INSERT|UPDATE)\b/.test(text);

/** All look-ups of this process, by whatever client of pg. */
const queries: string[] = [];
const { query } = pg.Client.prototype;
function recordingQuery(this: pg.Client, ...parameters: unknown[]): unknown {
  const [first] = parameters as [string | { text?: string }];
  const text = typeof first === 'string' ? first : (first.text ?? '');
  if (isLookup(text)) queries.push(text);
  return Reflect.apply(query, this, parameters);
}

interface Row {
  readonly credential: string;
  readonly bytes: number;
  readonly first: number;
  readonly next: number;
}
const table: Row[] = [];

/** The header that says who it is, in the bytes that go over the wire. */
const bytesOf = ({ headers }: Client) => {
  const { 'X-CSRF-Token': _csrf, ...credential } = headers;
  return Object.entries(credential).reduce((sum, [name, value]) => sum + `${name}: ${value}\r\n`.length, 0);
};

const line = (cells: unknown[]) =>
  `  ${cells.map((cell, i) => (i === 0 ? String(cell).padEnd(24) : String(cell).padStart(15))).join('')}`;

async function cost(client: Client, path: string): Promise<number> {
  const before = queries.length;
  expect((await client.get(path)).status).toBe(200);
  return queries.length - before;
}

const pathOf = (name: string) => (name.endsWith('live') ? '/costs/live' : '/costs/plain');

describe('what a request costs', () => {
  const context = useStarted(() => InProcessServer.start({ modules: [CostsModule] }));
  const always = useStarted(() =>
    InProcessServer.start({ modules: [CostsModule], env: { CREDENTIAL_CACHE_TTL: '0' } }),
  );
  beforeAll(() => void Object.assign(pg.Client.prototype, { query: recordingQuery }));
  afterAll(() => {
    Object.assign(pg.Client.prototype, { query });
    console.info(
      [
        'Cost of a credential: bytes in each request, queries in the first one and in the next:',
        line(['credential', 'bytes', 'queries, first', 'queries, next']),
        ...table.map((row) => line([row.credential, row.bytes, row.first, row.next])),
      ].join('\n'),
    );
  });
  beforeEach(() => void (queries.length = 0));
  afterEach(() => void (queries.length = 0));

  const bearer = (url: string, token: string, { secrets } = context.server) =>
    new Client(url, secrets, { Authorization: `Bearer ${token}` });

  /** Each kind of credential, new. */
  async function credentials(server = context.server): Promise<Record<string, Client>> {
    const ada = await server.person();
    const opaque = await server.anonymous.post('/v1/tokens', {
      email: ada.email,
      password: PASSWORD,
      format: 'opaque',
    });
    const { id, key } = await apiKeyOf(ada, ['probes:read', 'events:write']);
    const machine = await postForm(
      server.anonymous,
      '/oauth/token',
      { grant_type: 'client_credentials' },
      basic(id, key),
    );
    return {
      session: await sessionOf(ada),
      jwt: await jwtOf(ada),
      'jwt, live': await jwtOf(ada),
      opaque: bearer(server.url, opaque.body.access_token),
      'API key': await apiKeyOf(ada, ['probes:read', 'events:write']),
      'jwt of an API key': bearer(server.url, machine.body.access_token),
    };
  }

  it('is one query at first and none for CREDENTIAL_CACHE_TTL, and never one for a plain JWT', async () => {
    for (const [name, client] of Object.entries(await credentials())) {
      const first = await cost(client, pathOf(name));
      const next = await cost(client, pathOf(name));
      table.push({ credential: name, bytes: bytesOf(client), first, next });
    }
    const counts = Object.fromEntries(
      table.map(({ credential, first, next }) => [credential, [first, next]]),
    );
    expect(counts).toEqual({
      session: [1, 0],
      jwt: [0, 0],
      'jwt, live': [1, 0],
      opaque: [1, 0],
      'API key': [1, 0],
      'jwt of an API key': [1, 0],
    });
  });

  it('is one query each time where nothing may be remembered', async () => {
    for (const [name, client] of Object.entries(await credentials(always.server))) {
      const expected = name === 'jwt' ? 0 : 1;
      expect([name, await cost(client, pathOf(name)), await cost(client, pathOf(name))]).toEqual([
        name,
        expected,
        expected,
      ]);
    }
  });

  it('is one query for all requests that arrive in one turn of the event loop', async () => {
    const client = (await credentials())['session']!;
    const head = Object.entries({ Host: new URL(context.server.url).host, ...client.headers })
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
    const request = (last: boolean) =>
      `GET /costs/plain HTTP/1.1\r\n${head}${last ? 'Connection: close\r\n' : ''}\r\n`;
    const before = queries.length;
    // In one segment of TCP, so that the server reads all of them at once.
    const answers = await pipeline(context.server.url, `${request(false).repeat(9)}${request(true)}`);
    expect(answers.match(/^HTTP\/1\.1 200 /gm)).toHaveLength(10);
    expect(queries.length - before).toBe(1);
  });
});
