import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { Client } from '../support/client.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { basic, postForm } from '../support/form.js';
import type { KeyClient } from '../support/modes/api-key.js';
import { sessionOf } from '../support/modes/session.js';
import { Node } from '../support/nodes.js';
import { SecretKeeper } from '../support/secret-keeper.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

/** The configuration's own value. */
const FEED_MAX_LAG_MS = 1_000;

/** A request that every credential of these tests may make. */
export const PATH = '/v1/orders';

const secrets = new SecretKeeper();
const feedName = (node: number) => `the feed of node ${node}`;

const segmentOf = (token: string, segment: number) =>
  JSON.parse(Buffer.from(token.split('.')[segment]!, 'base64url').toString());
export const kidOf = (token: string): string => segmentOf(token, 0).kid;
export const claimsOf = (token: string): Record<string, any> => segmentOf(token, 1);

export const bearer = (token: string) => new Client('', secrets, { Authorization: `Bearer ${token}` });

/** Three processes on one database, and a server in this one: people and credentials are made there, for all of them. */
class ThreeNodes {
  nodes: Node[] = [];
  server: TestServer;
  database: TestDatabase;
  /** An administrator's session, on the first of them. */
  admin: Client;
  #directory: string;
  /** How often the feed of each had been back, when it was cut. */
  readonly #timesBack: number[] = [];

  async start(): Promise<void> {
    this.#directory = await mkdtemp(join(tmpdir(), 'auth-modes-nodes-'));
    this.database = await createDatabase();
    this.server = await TestServer.start({ database: this.database });
    this.nodes = await Promise.all([0, 1, 2].map((node) => this.#start(node)));
    this.admin = this.at(0, await sessionOf(await this.server.administrator()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.server?.stop();
    await this.database?.drop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Calls a node with a credential, or with none. */
  at(node: number, credential?: Client): Client {
    return new Client(this.nodes[node]!.url, secrets, credential?.headers);
  }

  /** A machine's JWT, by the client credentials of a key. */
  async exchange(key: KeyClient, node?: number): Promise<string> {
    const client = node === undefined ? this.server.anonymous : this.at(node);
    const fields = { grant_type: 'client_credentials' };
    const answer = await postForm(client, '/oauth/token', fields, basic(key.id, key.key));
    expect(answer.status).toBe(200);
    return answer.body.access_token;
  }

  /**
   * Asks a node until it refuses: with which status, and how long after `since` that was asked. The promise is that
   * whoever is asked later than FEED_MAX_LAG refuses.
   */
  async refusal(node: number, credential: Client, since: number): Promise<{ status: number; ms: number }> {
    const client = this.at(node, credential);
    for (;;) {
      const ms = performance.now() - since;
      const { status } = await client.get(PATH);
      if (status !== 200) return { status, ms };
      expect(ms).toBeLessThan(FEED_MAX_LAG_MS);
    }
  }

  /** The server process that a node's feed is connected to. */
  async feed(node: number): Promise<number | undefined> {
    const [row]: { pid: number }[] = await this.server.query(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1`,
      [feedName(node)],
    );
    return row?.pid;
  }

  /** Ends the connection of a node's feed, and waits until it is gone. */
  async cutFeed(node: number): Promise<void> {
    const pid = await this.feed(node);
    this.#timesBack[node] = this.#countBack(node);
    await this.server.query('SELECT pg_terminate_backend($1)', [pid]);
    await until(async () => (await this.feed(node)) !== pid);
  }

  /** Waits until a node whose feed was cut believes its memory again. */
  feedIsBack(node: number): Promise<void> {
    return until(async () => this.#countBack(node) > this.#timesBack[node]!);
  }

  #countBack(node: number): number {
    return this.nodes[node]!.output.split('restored the revocation feed').length - 1;
  }

  #start(node: number): Promise<Node> {
    const listen = new URL(this.database.url);
    listen.searchParams.set('application_name', feedName(node));
    return Node.start({
      DATABASE_URL: this.database.url,
      DATABASE_LISTEN_URL: listen.href,
      DATA_DIRECTORY: this.#directory,
    });
  }
}

/** For all the tests of this Jest file. */
export const three = new ThreeNodes();
beforeAll(() => three.start());
afterAll(() => three.stop());
