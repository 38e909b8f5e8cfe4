import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { dataSourceOptions } from '../../src/platform/database/data-source.options.js';
import { migrate } from '../../src/platform/database/migrate.js';
import { Client } from '../support/client.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { credentials, signIns } from '../support/modes/any.js';
// room: tokens
import { tokens } from '../support/modes/any.js';
// /room
import { Node } from '../support/nodes.js';
import { TestServer } from '../support/server.js';
import { Load } from './load.js';
import { RoundRobin } from './round-robin.js';

const PATH = '/v1/whoami';

/** The old code works with the schema after this migration, as docs/migrations.md requires. */
class Expand1895300000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE subjects ADD COLUMN region text DEFAULT 'eu';
      ALTER TABLE subjects ADD CONSTRAINT subjects_region_present CHECK (region IS NOT NULL) NOT VALID;
    `);
  }

  async down(): Promise<void> {}
}

/** Comes with the next version, when no node runs the old code. */
class Contract1895300000002 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE subjects VALIDATE CONSTRAINT subjects_region_present;
      ALTER TABLE subjects ALTER COLUMN region SET NOT NULL;
      ALTER TABLE subjects DROP CONSTRAINT subjects_region_present;
    `);
  }

  async down(): Promise<void> {}
}

describe('three nodes that are replaced one after the other', () => {
  let directory: string;
  let database: TestDatabase;
  let server: TestServer;
  let proxy: RoundRobin;
  let nodes: Node[];
  const load = new Load();

  const start = () =>
    Node.start({
      DATABASE_URL: database.url,
      DATA_DIRECTORY: directory,
      DRAIN_TIME: '2s',
      // A slow machine can delay probes by a second. That is not what this test is about.
      FEED_MAX_LAG: '10s',
      RATE_LIMITS: 'off',
    });
  const run = async (...migrations: (new () => MigrationInterface)[]) => {
    const dataSource = await new DataSource({
      ...dataSourceOptions(database.url, 1),
      migrations,
    }).initialize();
    try {
      return (await migrate(dataSource)).map(({ name }) => name);
    } finally {
      await dataSource.destroy();
    }
  };
  const through = ({ headers }: Client) => new Client(proxy.url, server.secrets, headers);

  async function addLoad(): Promise<void> {
    for (const { name, of } of credentials) {
      const client = through(await of(server));
      load.add(name, 200, () => client.get(PATH));
    }
    // room: users
    for (const kind of signIns) {
      const { email, password } = await server.person();
      const body = { email, password, ...kind.fields };
      load.add(`sign-in by ${kind.mode}`, 201, () => through(server.anonymous).post(kind.path, body));
      const client = through(await kind.of(await server.person()));
      load.add(`write by ${kind.mode}`, 200, () => client.patch('/v1/users/me', { name: 'Ada' }));
    }
    // /room
    // room: tokens
    for (const kind of tokens) {
      let { refreshToken } = await kind.of(await server.person());
      load.add(`refresh by ${kind.mode}`, 200, async () => {
        const answer = await through(server.anonymous).post('/v1/tokens/refresh', { refreshToken });
        refreshToken = answer.body.refresh_token;
        return answer;
      });
    }
    // /room
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'auth-modes-rolling-'));
    database = await createDatabase();
    server = await TestServer.start({ database });
    proxy = await RoundRobin.start();
    nodes = await Promise.all([start(), start(), start()]);
    for (const { url } of nodes) await proxy.add(url);
    await addLoad();
  });
  afterAll(async () => {
    await load.stop();
    proxy?.close();
    await Promise.all((nodes ?? []).map((node) => node.stop()));
    await server?.stop();
    await database?.drop();
    await rm(directory, { recursive: true, force: true });
  });

  it('refuse no request, although the schema changes meanwhile', async () => {
    await load.more(5);
    // The first node of the next version does this at its start.
    expect(await run(Expand1895300000001)).toEqual(['Expand1895300000001']);
    await load.more(5);
    for (const [place, old] of nodes.entries()) {
      const next = await start();
      nodes[place] = next;
      await proxy.add(next.url);
      await proxy.serves(next.url);
      old.child.kill('SIGTERM');
      await proxy.isGone(old.url);
      expect(await old.exited).toBe(0);
      await load.more(5);
    }
    expect(await run(Expand1895300000001, Contract1895300000002)).toEqual(['Contract1895300000002']);
    await load.more(5);
    expect(load.failures).toEqual([]);
  });
});
