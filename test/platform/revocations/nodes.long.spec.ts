import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../tools/dev-postgres/embedded-postgres.js';
import { type Answer, Client } from '../../support/client.js';
import { removeCluster } from '../../support/embedded-cluster.js';
import { basic, postForm } from '../../support/form.js';
import { apiKeyOf } from '../../support/modes/api-key.js';
import { jwtOf } from '../../support/modes/jwt.js';
import { sessionOf } from '../../support/modes/session.js';
import { Node } from '../../support/nodes.js';
import type { Person } from '../../support/person.js';
import { SecretKeeper } from '../../support/secret-keeper.js';
import { PASSWORD, TestServer } from '../../support/server.js';
import { until } from '../../support/until.js';
import { Wire } from '../../support/wire.js';

const LAG_MS = 300;
const PATH = '/v1/whoami';
const LOST = 'lost the revocation feed; requests query the database';
const BACK = 'restored the revocation feed';
const KINDS = ['session', 'jwt', 'opaque', 'api key', "machine's jwt"] as const;
/** Of each kind, in each fault. */
const COUNT = 4;

interface Victim {
  readonly kind: (typeof KINDS)[number];
  readonly client: Client;
  readonly revoke: (node: Node) => Promise<Answer>;
  revokedAt: number;
  isRefused: boolean;
}

/** A revoked credential that was accepted, on the clock on the wall. */
interface Acceptance {
  readonly kind: string;
  readonly revokedAt: number;
  readonly askedAt: number;
  readonly answeredAt: number;
}

interface Fault {
  go(): unknown;
  /** Until when it lasts; until most were revoked unless told. */
  lasts?(): Promise<void>;
  mend(): unknown;
  /** Whether nothing reaches B from its beginning to its end. */
  blind: boolean;
  /** Whether the database is there all the time. */
  databaseStays: boolean;
}

const secrets = new SecretKeeper();
const at = (node: Node, { headers }: Client) => new Client(node.url, secrets, headers);

const signOut = (client: Client) => (node: Node) => at(node, client).delete('/v1/sessions/current');

/** One credential of each kind, and how each is taken back. */
async function credentialsOf(server: TestServer, person: Person): Promise<Victim[]> {
  const scopes = ['profile:read'];
  const session = await sessionOf(person);
  const jwt = await jwtOf(person);
  const { body } = await server.anonymous.post('/v1/tokens', {
    email: person.email,
    password: PASSWORD,
    format: 'opaque',
  });
  const opaque = server.anonymous.with({ Authorization: `Bearer ${body.access_token}` });
  const keys = [await apiKeyOf(person, scopes), await apiKeyOf(person, scopes)] as const;
  const owner = await sessionOf(person);
  const grant = { grant_type: 'client_credentials' };
  const exchanged = await postForm(server.anonymous, '/oauth/token', grant, basic(keys[1].id, keys[1].key));
  const machine = server.anonymous.with({ Authorization: `Bearer ${exchanged.body.access_token}` });

  const end = (key: { id: string }) => (node: Node) => at(node, owner).delete(`/v1/api-keys/${key.id}`);
  const fresh = { revokedAt: Infinity, isRefused: false };
  return [
    { ...fresh, kind: 'session', client: session, revoke: signOut(session) },
    { ...fresh, kind: 'jwt', client: jwt, revoke: signOut(jwt) },
    { ...fresh, kind: 'opaque', client: opaque, revoke: signOut(opaque) },
    { ...fresh, kind: 'api key', client: keys[0], revoke: end(keys[0]) },
    { ...fresh, kind: "machine's jwt", client: machine, revoke: end(keys[1]) },
  ];
}

describe('a node that does not hear of revocations', () => {
  let directory: string;
  let postgres: EmbeddedPostgres;
  let wires: { pool: Wire; feed: Wire };
  let a: Node;
  let b: Node;
  /** Who keep what they have. */
  let bystanders: Victim[];
  const victims: Victim[][] = [];
  const table: string[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'auth-modes-faults-'));
    await startPostgres();
    const database = { url: postgres.url, drop: async () => undefined };
    // In this process: only to make people, and what they have.
    const server = await TestServer.start({ database });
    const each = async () => credentialsOf(server, await server.person());
    bystanders = await each();
    for (const _ of Object.keys(FAULTS)) {
      const sets = await Promise.all(Array.from({ length: COUNT }, each));
      victims.push(sets.flat());
    }
    await server.stop();
    wires = { pool: await Wire.before(postgres.url), feed: await Wire.before(postgres.url) };
    const env = {
      RATE_LIMITS: 'off',
      DATA_DIRECTORY: directory,
      FEED_MAX_LAG: `${LAG_MS}ms`,
      CREDENTIAL_CACHE_TTL: '5m',
    };
    [a, b] = await Promise.all([
      Node.start({ ...env, DATABASE_URL: postgres.url }),
      Node.start({
        ...env,
        DATABASE_URL: wires.pool.url.href,
        DATABASE_LISTEN_URL: wires.feed.url.href,
      }),
    ]);
  });

  afterAll(async () => {
    await Promise.all([a?.stop(), b?.stop()]);
    wires?.pool.close();
    wires?.feed.close();
    await postgres?.stop();
    await removeCluster(directory);
    await rm(directory, { recursive: true, force: true });
    console.info(
      [`Revoked credentials that the other node accepted, FEED_MAX_LAG being ${LAG_MS} ms:`, ...table].join(
        '\n  ',
      ),
    );
  });

  const startPostgres = async () => {
    postgres = await startEmbeddedPostgres({ directory, durable: false });
  };

  async function endListening(): Promise<void> {
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'auth-modes feed'`,
    );
    await client.end();
  }

  const everybodyIsRefusedService = () =>
    until(async () => {
      const answers = await Promise.all(bystanders.map(({ client }) => at(b, client).get(PATH)));
      return answers.every(({ problem }) => problem === 'database-unavailable');
    });

  const FAULTS: Record<string, Fault> = {
    'its listening connection is ended': {
      go: endListening,
      mend: endListening,
      blind: false,
      databaseStays: true,
    },
    'its listening connection stalls': {
      go: () => wires.feed.stall(),
      mend: () => wires.feed.mend(),
      blind: true,
      databaseStays: true,
    },
    'nobody lets it listen': {
      go: () => wires.feed.cut('closed'),
      mend: () => wires.feed.mend(),
      blind: true,
      databaseStays: true,
    },
    'PostgreSQL restarts': {
      go: async () => {
        await postgres.stop();
        await startPostgres();
      },
      mend: () => undefined,
      blind: false,
      databaseStays: false,
    },
    'PostgreSQL is gone, and comes back': {
      go: () => postgres.stop(),
      lasts: everybodyIsRefusedService,
      mend: startPostgres,
      blind: true,
      databaseStays: false,
    },
  };

  /** When B said so, of all times. */
  const timesOf = (message: string): number[] =>
    b.output
      .split('\n')
      .filter((line) => line.includes(message))
      .map((line) => Date.parse(JSON.parse(line).time));

  /** On A; again until it is done, where A has no database either. */
  async function revoke(victim: Victim): Promise<void> {
    await until(async () => {
      const { status } = await victim.revoke(a);
      expect([204, 401, 503]).toContain(status);
      return status !== 503;
    });
    victim.revokedAt = Date.now();
    // So that they spread over the fault.
    await sleep(40);
  }

  /** Asks B with all that was revoked until it refuses them, and with what was not. */
  async function ask(mine: Victim[], accepted: Acceptance[], statuses: Set<number>): Promise<void> {
    while (mine.some(({ isRefused }) => !isRefused)) {
      for (const victim of mine.filter(({ revokedAt, isRefused }) => revokedAt < Infinity && !isRefused)) {
        const { kind, revokedAt } = victim;
        const askedAt = Date.now();
        const { status } = await at(b, victim.client).get(PATH);
        expect([200, 401, 503]).toContain(status);
        if (status === 200) accepted.push({ kind, revokedAt, askedAt, answeredAt: Date.now() });
        victim.isRefused = status === 401;
      }
      for (const { client } of bystanders) statuses.add((await at(b, client).get(PATH)).status);
      // The rest of the machine has work to do, too.
      await sleep(15);
    }
  }

  /** All kinds are served by B without a query. */
  const isFast = async (): Promise<boolean> => {
    for (const { client } of bystanders) expect((await at(b, client).get(PATH)).status).toBe(200);
    wires.pool.cut('closed');
    const answers = await Promise.all(bystanders.map(({ client }) => at(b, client).get(PATH)));
    wires.pool.mend();
    return answers.every(({ status }) => status === 200);
  };

  describe.each(Object.keys(FAULTS))('because %s', (name) => {
    const fault = FAULTS[name]!;
    let mine: Victim[];
    const accepted: Acceptance[] = [];
    const statuses = new Set<number>();
    let goneAt: number;
    let mendedAt: number;

    it('still refuses what was revoked, and nothing else', async () => {
      mine = victims.pop()!;
      await until(isFast);
      for (const { client } of mine) expect((await at(b, client).get(PATH)).status).toBe(200);
      const [first, most, last] = [mine.slice(0, 5), mine.slice(5, -5), mine.slice(-5)];
      const asking = ask(mine, accepted, statuses);
      for (const victim of first) await revoke(victim);
      const revoking = (async () => {
        for (const victim of most) await revoke(victim);
      })();
      goneAt = Date.now();
      await fault.go();
      await (fault.lasts ? fault.lasts() : revoking);
      mendedAt = Date.now();
      await fault.mend();
      await revoking;
      for (const victim of last) await revoke(victim);
      await asking;
      const latest = Math.max(0, ...accepted.map(({ askedAt, revokedAt }) => askedAt - revokedAt));
      table.push(`${name}: ${accepted.length} times, the last ${latest} ms after the answer`);
      expect(statuses).toEqual(new Set(fault.databaseStays ? [200] : [200, 503]));
    });

    it('accepts nothing later than FEED_MAX_LAG after the answer to the revocation', () => {
      expect(accepted.filter(({ askedAt, revokedAt }) => askedAt - revokedAt > LAG_MS)).toEqual([]);
    });

    it('accepted nothing between noticing the fault and having heard all again', () => {
      const [losses, returns] = [timesOf(LOST), timesOf(BACK)];
      expect(losses.length).toBeGreaterThan(0);
      for (const [i, lostAt] of losses.entries())
        expect(
          accepted.filter(
            ({ askedAt, answeredAt }) => askedAt > lostAt + 1 && answeredAt < (returns[i] ?? Infinity),
          ),
        ).toEqual([]);
      if (fault.blind)
        expect(
          accepted.filter(({ askedAt, answeredAt }) => askedAt > goneAt + LAG_MS && answeredAt < mendedAt),
        ).toEqual([]);
    });

    it('recovers by itself: it serves everybody from memory again', async () => {
      await until(() => timesOf(BACK).length === timesOf(LOST).length);
      await until(isFast);
      // Nor from what it remembered of them before.
      for (const { client, kind } of mine)
        expect([kind, (await at(b, client).get(PATH)).status]).toEqual([kind, 401]);
    });
  });

  it('neither crashed nor left a rejection unhandled', async () => {
    await Promise.all([a.stop(), b.stop()]);
    expect([await a.exited, await b.exited]).toEqual([0, 0]);
    expect(a.output + b.output).not.toMatch(/unhandled|uncaught|"level":"fatal"|unexpected error/i);
  });
});
