import { afterAll, describe, expect, it } from '@jest/globals';
import type { Client } from '../support/client.js';
import { credentials } from '../support/modes/any.js';
import { pipeline } from '../support/raw-http.js';
import { type TestServer, useServer } from '../support/server.js';
import type { LookupCounter } from './costs.fixture.js';

interface Row {
  readonly credential: string;
  readonly bytes: number;
  readonly first: number;
  readonly next: number;
}
const table: Row[] = [];

/** The header that holds the credential, in bytes on the wire. */
const bytesOf = ({ headers }: Client) => {
  const { 'X-CSRF-Token': _csrf, ...credential } = headers;
  return Object.entries(credential).reduce((sum, [name, value]) => sum + `${name}: ${value}\r\n`.length, 0);
};

const line = (cells: unknown[]) =>
  `  ${cells.map((cell, i) => (i === 0 ? String(cell).padEnd(24) : String(cell).padStart(15))).join('')}`;

const lookups = (server: TestServer) => server.provider<LookupCounter>('LookupCounter').count();

async function cost(server: TestServer, client: Client, path: string): Promise<number> {
  const before = await lookups(server);
  expect((await client.get(path)).status).toBe(200);
  return (await lookups(server)) - before;
}

describe('what a request costs', () => {
  const fixture = 'test/auth/costs.fixture.ts#costs';
  const context = useServer({ fixture });
  afterAll(() =>
    console.info(
      [
        'Cost of a credential: bytes in each request, queries in the first one and in the next:',
        line(['credential', 'bytes', 'queries, first', 'queries, next']),
        ...table.map((row) => line([row.credential, row.bytes, row.first, row.next])),
      ].join('\n'),
    ),
  );

  it.each(credentials)(
    'is one query at first and none for CREDENTIAL_CACHE_TTL for a $name',
    async (kind) => {
      const client = await kind.of(context.server);
      const first = await cost(context.server, client, '/costs/plain');
      const next = await cost(context.server, client, '/costs/plain');
      table.push({ credential: kind.name, bytes: bytesOf(client), first, next });
      expect([first, next]).toEqual([kind.name === 'jwt' ? 0 : 1, 0]);
    },
  );

  // room: jwt
  it('is one query at first for a jwt on a live route', async () => {
    const client = await credentials.find(({ name }) => name === 'jwt')!.of(context.server);
    const first = await cost(context.server, client, '/costs/live');
    const next = await cost(context.server, client, '/costs/live');
    table.push({ credential: 'jwt, live', bytes: bytesOf(client), first, next });
    expect([first, next]).toEqual([1, 0]);
  });
  // /room

  it('is one query for all requests that arrive in one turn of the event loop', async () => {
    const client = await credentials[0]!.of(context.server);
    const head = Object.entries({ Host: new URL(context.server.url).host, ...client.headers })
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
    const request = (last: boolean) =>
      `GET /costs/live HTTP/1.1\r\n${head}${last ? 'Connection: close\r\n' : ''}\r\n`;
    const before = await lookups(context.server);
    // In one segment of TCP, so that the server reads all of them at once.
    const answers = await pipeline(context.server.url, `${request(false).repeat(9)}${request(true)}`);
    expect(answers.match(/^HTTP\/1\.1 200 /gm)).toHaveLength(10);
    expect((await lookups(context.server)) - before).toBe(1);
  });

  describe('with CREDENTIAL_CACHE_TTL=0', () => {
    const always = useServer({ fixture, env: { CREDENTIAL_CACHE_TTL: '0' } });

    it.each(credentials)('is one query each time for a $name', async (kind) => {
      const client = await kind.of(always.server);
      const expected = kind.name === 'jwt' ? 0 : 1;
      for (let i = 0; i < 2; i += 1) expect(await cost(always.server, client, '/costs/plain')).toBe(expected);
    });
  });
});
