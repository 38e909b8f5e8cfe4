import { expect } from '@jest/globals';
import pg from 'pg';
import { Client } from '../support/client.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { PASSWORD } from '../support/people.js';
import { SecretKeeper } from '../support/secret-keeper.js';
import type { Owner } from './model.js';
import { SimulatedNode } from './simulated-node.js';

export const FEED_MAX_LAG_MS = 300;
const ENV = {
  RATE_LIMITS: 'off',
  FEED_MAX_LAG: `${FEED_MAX_LAG_MS}ms`,
  REFRESH_REUSE_GRACE: '1s',
  LOG_LEVEL: 'info',
};

/** Three nodes on one database, each in a process of its own. */
export class Cluster {
  readonly secrets = new SecretKeeper();
  readonly nodes: SimulatedNode[];
  /** By how many seconds the clocks of the nodes are ahead. */
  ahead = 0;
  #people = 0;
  readonly #log: string[] = [];
  readonly #pool: pg.Pool;

  private constructor(
    private readonly database: TestDatabase,
    cacheTtl: string,
  ) {
    const env = { ...ENV, CREDENTIAL_CACHE_TTL: cacheTtl };
    this.nodes = ['one', 'two', 'three'].map((name) => new SimulatedNode(`node ${name}`, database.url, env));
    this.#pool = new pg.Pool({ connectionString: database.url, max: 2 });
  }

  static async start(cacheTtl: string): Promise<Cluster> {
    const cluster = new Cluster(await createDatabase(), cacheTtl);
    await Promise.all(cluster.nodes.map((node) => node.start()));
    return cluster;
  }

  /** Stops all nodes, and fails if a secret is in a log or in a table. */
  async stop(): Promise<void> {
    for (const node of this.nodes) if (node.isUp) this.#log.push(...(await node.log()));
    const query = async (statement: string) => (await this.#pool.query(statement)).rows;
    const leaked = [
      ...this.secrets.foundIn(this.#log.join('')),
      ...(await this.secrets.foundInTables({ query })),
    ];
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.#pool.end();
    await this.database.drop();
    expect(leaked).toEqual([]);
  }

  /** A node that runs: the wanted one, or the next. */
  node(wanted: number): SimulatedNode {
    const [first, ...others] = [0, 1, 2].map((i) => this.nodes[(wanted + i) % 3]!);
    return [first!, ...others].find(({ isUp }) => isUp)!;
  }

  client(wanted: number, headers: Record<string, string> = {}): Client {
    return new Client(this.node(wanted).url, this.secrets, headers);
  }

  /** Somebody new, who has confirmed the address. */
  async person(role: 'person' | 'administrator'): Promise<Owner> {
    const email = `${role}-${(this.#people += 1)}@example.com`;
    const passwordHash = await this.node(0).call('provider', 'PasswordHasher', 'hash', PASSWORD);
    const fields = { email, name: null, passwordHash, emailVerifiedAt: new Date() };
    if (role === 'person') await this.node(0).call('provider', 'UsersService', 'insert', fields);
    else await this.node(0).call('provider', 'UsersService', 'insertAdministrator', email, PASSWORD);
    const [{ id }] = await this.query('SELECT id FROM users WHERE email = $1', [email]);
    this.secrets.keep(PASSWORD);
    return { id, email, password: PASSWORD };
  }

  /** Time passes on all nodes. */
  async advance(seconds: number): Promise<void> {
    this.ahead += seconds;
    await Promise.all(this.nodes.filter(({ isUp }) => isUp).map((node) => node.advance(`${seconds}s`)));
  }

  /** Kills a node, unless it is the last one. */
  async kill(wanted: number): Promise<void> {
    if (this.nodes.filter(({ isUp }) => isUp).length < 2) return;
    const node = this.node(wanted);
    this.#log.push(...(await node.log()));
    await node.kill();
  }

  /** Starts the nodes that were killed, with the time of the others. */
  async revive(): Promise<void> {
    for (const node of this.nodes)
      if (!node.isUp) {
        await node.start();
        await node.advance(`${this.ahead}s`);
      }
  }

  /** Ends the connection by which a node learns of revocations. */
  async cutFeed(wanted: number): Promise<void> {
    const { name } = this.node(wanted);
    await this.#pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = $1`,
      [name],
    );
  }

  async query(statement: string, parameters: unknown[] = []): Promise<any[]> {
    return (await this.#pool.query(statement, parameters)).rows;
  }
}
