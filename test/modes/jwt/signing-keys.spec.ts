import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigError } from '../../../src/platform/config/config.js';
import { unseal } from '../../../src/platform/crypto/sealing.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { jwtOf, type TokenClient } from '../../support/modes/jwt.js';
import type { Person } from '../../support/person.js';
import { TestServer } from '../../support/server.js';

const OLD = 'the-old-secret-of-these-tests-of-32-characters';
const NEW = 'the-new-secret-of-these-tests-of-32-characters';

interface Row {
  kid: string;
  algorithm: string;
  status: string;
  public_jwk: { x: string };
  private_jwk_sealed: Buffer;
}

const rowsOf = (server: TestServer): Promise<Row[]> =>
  server.query('SELECT * FROM signing_keys ORDER BY algorithm, status');

const kindsOf = (rows: Row[]): string[] => rows.map(({ algorithm, status }) => `${algorithm} ${status}`);

const headerOf = (token: string): Record<string, string> =>
  JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString());

const kidOf = ({ accessToken }: TokenClient): string => headerOf(accessToken)['kid']!;

const published = async (server: TestServer): Promise<Record<string, string>[]> =>
  (await server.anonymous.get('/.well-known/jwks.json')).body.keys;

const kidsOf = async (server: TestServer) => (await published(server)).map(({ kid }) => kid);
const algorithmsOf = async (server: TestServer) => (await published(server)).map(({ alg }) => alg);

/** How another node, or this one after a restart, answers to a token. */
const statusOn = async (server: TestServer, { accessToken }: TokenClient): Promise<number> => {
  const client = server.anonymous.with({ Authorization: `Bearer ${accessToken}` });
  return (await client.get('/v1/probes/principal')).status;
};

/** Nodes on one database, and a person whom all of them know. */
function useNodes({ empty = false } = {}) {
  const nodes: TestServer[] = [];
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase({ empty });
  });
  afterAll(async () => {
    for (const node of nodes) await node.stop();
    await database.drop();
  });

  return {
    start: async (env: Record<string, string> = {}): Promise<TestServer> => {
      const node = await TestServer.start({ database, env: { ENCRYPTION_SECRETS: OLD, ...env } });
      nodes.push(node);
      return node;
    },
    /** Signs in on a node, by the password that a person has everywhere. */
    signIn: (node: TestServer, person: Person): Promise<TokenClient> => jwtOf(person.at(node)),
  };
}

describe('the signing keys', () => {
  const { start, signIn } = useNodes();
  let first: TestServer;
  let ada: Person;
  let token: TokenClient;

  beforeAll(async () => {
    first = await start();
    ada = await first.person();
    token = await jwtOf(ada);
  });

  it('are one that signs and one that will, of the algorithm that is configured', async () => {
    expect(kindsOf(await rowsOf(first))).toEqual(['ES256 active', 'ES256 next']);
  });

  it('are not readable in the database', async () => {
    const rows: { row: string }[] = await first.query('SELECT k::text AS row FROM signing_keys k');
    const table = rows.map(({ row }) => row).join('\n');
    for (const { kid, public_jwk, private_jwk_sealed } of await rowsOf(first)) {
      const jwk = JSON.parse(unseal(private_jwk_sealed, [OLD], 'signing-key', kid));
      expect(jwk).toMatchObject({ kty: 'EC', x: public_jwk.x, d: expect.stringMatching(/^[\w-]{43}$/) });
      const bytes = Buffer.from(jwk.d, 'base64url').toString('hex');
      for (const text of [jwk.d, bytes, Buffer.from(jwk.d).toString('hex')]) {
        expect(table).not.toContain(text);
        expect((await first.log()).join('')).not.toContain(text);
      }
    }
  });

  it('cannot be put in place of one another: each is sealed for its kid', async () => {
    const [one, other] = (await rowsOf(first)) as [Row, Row];
    expect(() => unseal(one.private_jwk_sealed, [OLD], 'signing-key', other.kid)).toThrow('cannot be opened');
  });

  it('outlive a restart: old tokens are taken, and no key is made', async () => {
    const before = await rowsOf(first);
    const again = await start();
    expect(await statusOn(again, token)).toBe(200);
    expect(await rowsOf(again)).toEqual(before);
    expect(kidOf(await signIn(again, ada))).toBe(kidOf(token));
  });

  it('stop the boot if no configured secret opens them, and name the variable, not its value', async () => {
    const failure: unknown = await start({ ENCRYPTION_SECRETS: NEW }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConfigError);
    const { message, exitCode } = failure as ConfigError;
    expect(message).toContain('ENCRYPTION_SECRETS');
    for (const secret of [OLD, NEW]) expect(message).not.toContain(secret);
    expect(exitCode).toBe(78);
    expect(kindsOf(await rowsOf(first))).toEqual(['ES256 active', 'ES256 next']);
  });

  it('stop the boot if they were tampered with', async () => {
    const flip = `UPDATE signing_keys SET private_jwk_sealed =
      set_byte(private_jwk_sealed, 20, get_byte(private_jwk_sealed, 20) # 1) WHERE status = 'next'`;
    await first.query(flip);
    await expect(start()).rejects.toThrow(ConfigError);
    await first.query(flip);
    await start();
  });

  it('are opened by an old secret behind a new one, and the new one seals what is made', async () => {
    const server = await start({ ENCRYPTION_SECRETS: `${NEW},${OLD}`, JWT_ALGORITHM: 'EdDSA' });
    expect(await statusOn(server, token)).toBe(200);
    const rows = await rowsOf(server);
    expect(kindsOf(rows)).toEqual(['ES256 active', 'ES256 next', 'EdDSA active', 'EdDSA next']);
    for (const { kid, algorithm, private_jwk_sealed } of rows) {
      const secret = algorithm === 'EdDSA' ? NEW : OLD;
      expect(unseal(private_jwk_sealed, [secret], 'signing-key', kid)).toContain('"d"');
    }
    for (const secret of [OLD, NEW])
      await expect(start({ ENCRYPTION_SECRETS: secret })).rejects.toThrow(ConfigError);
  });
});

describe('another JWT_ALGORITHM', () => {
  const { start, signIn } = useNodes();

  it('[V11.2.2] signs from then on, while tokens of the one before are taken and refreshed', async () => {
    const before = await start();
    const ada = await before.person();
    const token = await jwtOf(ada);

    const after = await start({ JWT_ALGORITHM: 'EdDSA' });
    expect(await statusOn(after, token)).toBe(200);
    const { refreshToken } = token;
    const { status, body } = await after.anonymous.post('/v1/tokens/refresh', { refreshToken });
    expect(status).toBe(200);
    expect(headerOf(body.access_token)).toMatchObject({ alg: 'EdDSA' });
    // Its own first.
    expect(await algorithmsOf(after)).toEqual(['EdDSA', 'ES256', 'EdDSA', 'ES256']);

    // The node that was there before reads the keys anew for an unknown one, every ten seconds at most.
    await before.clock.advance('10s');
    expect(await statusOn(before, await signIn(after, ada))).toBe(200);
    expect(await algorithmsOf(before)).toEqual(['ES256', 'EdDSA', 'ES256', 'EdDSA']);
  });
});

describe('a key that retires', () => {
  const { start, signIn } = useNodes();

  it('is published and believed for as long as a token of it lives', async () => {
    const before = await start();
    const ada = await before.person();
    const token = await jwtOf(ada);
    const [active, next] = (await rowsOf(before)) as [Row, Row];
    await before.query(
      `UPDATE signing_keys SET status = 'retired', retired_at = now() WHERE status = 'active'`,
    );
    await before.query(`UPDATE signing_keys SET status = 'active' WHERE status = 'next'`);

    const after = await start();
    expect(kindsOf(await rowsOf(after))).toEqual(['ES256 active', 'ES256 next', 'ES256 retired']);
    const renewed = await signIn(after, ada);
    expect(kidOf(renewed)).toBe(next.kid);
    for (const node of [before, after]) {
      expect(await statusOn(node, token)).toBe(200);
      expect(await statusOn(node, renewed)).toBe(200);
    }
    expect(await kidsOf(after)).toContain(active.kid);
    // As long as a token lives, and a minute for clocks that differ.
    await after.clock.advance('15m');
    expect(await kidsOf(after)).toContain(active.kid);
    await after.clock.advance('1m');
    expect(await kidsOf(after)).not.toContain(active.kid);
    expect(await kidsOf(after)).toHaveLength(2);
  });
});

describe('nodes that start at once on an empty database', () => {
  const { start, signIn } = useNodes({ empty: true });

  it('agree on one key of each algorithm that signs and one that will', async () => {
    const algorithms = ['ES256', 'ES256', 'EdDSA', 'EdDSA'];
    const nodes = await Promise.all(algorithms.map((JWT_ALGORITHM) => start({ JWT_ALGORITHM })));
    const kinds = ['ES256 active', 'ES256 next', 'EdDSA active', 'EdDSA next'];
    expect(kindsOf(await rowsOf(nodes[0]!))).toEqual(kinds);

    const ada = await nodes[0]!.person();
    const tokens = await Promise.all(nodes.map((node) => signIn(node, ada)));
    expect(new Set(tokens.map(kidOf)).size).toBe(2);
    for (const node of nodes) {
      await node.clock.advance('10s');
      for (const token of tokens) expect(await statusOn(node, token)).toBe(200);
    }
  });
});
