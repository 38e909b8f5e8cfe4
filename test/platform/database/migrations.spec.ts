import { afterEach, describe, expect, it } from '@jest/globals';
import { Column, DataSource, type DataSourceOptions, Entity, type MigrationInterface } from 'typeorm';
import * as migrations from '../../../migrations/index.js';
import { dataSourceOptions } from '../../../src/platform/database/data-source.options.js';
import { migrate } from '../../../src/platform/database/migrate.js';
import { Order } from '../../../src/examples/orders/order.entity.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { InProcessServer } from '../../support/in-process.js';
import { useStarted } from '../../support/server.js';

/** As TypeORM sorts them: by the time in the name. */
const ALL = Object.values(migrations).toSorted((a, b) => a.name.slice(-13).localeCompare(b.name.slice(-13)));
const opened: DataSource[] = [];
const databases: TestDatabase[] = [];

describe('migrations', () => {
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((dataSource) => dataSource.destroy()));
    await Promise.all(databases.splice(0).map((database) => database.drop()));
  });

  async function emptyDatabase(): Promise<string> {
    const database = await createDatabase({ empty: true });
    databases.push(database);
    return database.url;
  }

  /** A node of its own, with one connection. */
  async function connect(url: string, options: Partial<DataSourceOptions> = {}): Promise<DataSource> {
    const node = new DataSource({ ...dataSourceOptions(url, 1), ...options } as DataSourceOptions);
    opened.push(await node.initialize());
    return node;
  }

  /** The schema as PostgreSQL understands it: expressions, not only names. */
  async function schemaOf(dataSource: DataSource): Promise<string[]> {
    const rows: { line: string }[] = await dataSource.query(`
    SELECT concat_ws(' ', 'column', table_name, column_name, udt_name, is_nullable, column_default) AS line
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'migrations'
    UNION ALL
    SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype <> 'n' AND conrelid IS DISTINCT FROM to_regclass('migrations')
    UNION ALL
    SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'migrations'
    UNION ALL
    SELECT concat_ws(' ', 'routine', routine_name) FROM information_schema.routines WHERE routine_schema = 'public'
    UNION ALL
    SELECT concat_ws(' ', 'type', typname) FROM pg_type
    WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')
    ORDER BY line`);
    return rows.map(({ line }) => line);
  }

  const applied = async (dataSource: DataSource): Promise<string[]> =>
    (await dataSource.query('SELECT name FROM migrations ORDER BY id')).map(
      ({ name }: { name: string }) => name,
    );

  describe('the migrations', () => {
    const context = useStarted(() => InProcessServer.start());
    const entities = () => context.server.dataSource.entityMetadatas.map((entity) => entity.target);

    it('go up, down to nothing, and up again to the same schema', async () => {
      const dataSource = await connect(await emptyDatabase());
      await dataSource.runMigrations({ transaction: 'all' });
      const schema = await schemaOf(dataSource);
      expect(schema.length).toBeGreaterThan(50);
      for (const _ of ALL) await dataSource.undoLastMigration();
      expect(await schemaOf(dataSource)).toEqual([]);
      await dataSource.runMigrations({ transaction: 'all' });
      expect(await schemaOf(dataSource)).toEqual(schema);
    });

    it('end keys that were narrowed when the narrowing is taken back', async () => {
      const dataSource = await connect(await emptyDatabase());
      await dataSource.runMigrations({ transaction: 'all' });
      await dataSource.query(`
        WITH subject AS (INSERT INTO subjects (id, kind) VALUES (gen_random_uuid(), 'user') RETURNING id),
          owner AS (
            INSERT INTO users (id, email, password_hash, roles, status, created_at)
            SELECT id, 'ada@example.com', 'x', '{}', 'active', now() FROM subject RETURNING id)
        INSERT INTO api_keys (id, owner_id, lineage_id, name, prefix, last4, key_hash, scopes, created_at, resources, allowed_cidrs)
        SELECT one.id, owner.id, one.id, one.name, 'x', 'x', uuid_send(one.id), '{orders:read}', now(), resources, cidrs
        FROM owner, (VALUES
          (gen_random_uuid(), 'any', NULL::text[], NULL::cidr[]),
          (gen_random_uuid(), 'one order', '{orders/x}', NULL),
          (gen_random_uuid(), 'one network', NULL, '{192.0.2.0/24}')) AS one (id, name, resources, cidrs)`);
      const undone = ALL.findIndex(({ name }) => name.startsWith('KeyBounds'));
      for (const _ of ALL.slice(undone)) await dataSource.undoLastMigration();
      const working = await dataSource.query('SELECT name FROM api_keys WHERE revoked_at IS NULL');
      expect(working).toEqual([{ name: 'any' }]);
    });

    it('keep accounts and links that wait when each registration gets a link of its own', async () => {
      const at = ALL.findIndex(({ name }) => name.startsWith('Registrations'));
      const url = await emptyDatabase();
      const old = await connect(url, { migrations: ALL.slice(0, at) });
      await old.runMigrations({ transaction: 'all' });
      await old.query(`
        WITH one AS (
          SELECT gen_random_uuid() AS id, name, age, verified FROM (VALUES
            ('waits', 1, false), ('uses it', 1, false), ('is old', 31, false), ('is verified', 1, true)
          ) AS v (name, age, verified)),
        subject AS (INSERT INTO subjects (id, kind) SELECT id, 'user' FROM one),
        person AS (
          INSERT INTO users (id, email, name, password_hash, created_at, email_verified_at)
          SELECT id, id || '@example.com', name, 'x', now() - age * interval '1 day', CASE WHEN verified THEN now() END
          FROM one),
        link AS (
          INSERT INTO email_verifications (token_hash, user_id, expires_at)
          SELECT uuid_send(id), id, now() FROM one WHERE name = 'waits')
        INSERT INTO sign_ins (id, user_id, carrier, amr, auth_time, created_at, last_seen_at, idle_expires_at, expires_at)
        SELECT gen_random_uuid(), id, 'cookie', '{pwd}', now(), now(), now(), now(), now() FROM one WHERE name = 'uses it'`);
      const dataSource = await connect(url);
      await dataSource.runMigrations({ transaction: 'all' });
      const unused = await dataSource.query('SELECT name FROM users WHERE unused_since = created_at');
      expect(unused).toEqual([{ name: 'waits' }]);
      const links = 'SELECT registration_id, sets_password, used_at FROM email_verifications';
      expect(await dataSource.query(links)).toEqual([
        { registration_id: null, sets_password: false, used_at: null },
      ]);
    });

    it('make the schema that the entities ask for', async () => {
      const { upQueries } = await context.server.dataSource.driver.createSchemaBuilder().log();
      expect(upQueries).toEqual([]);
    });

    it('would be found wanting if an entity had one column more', async () => {
      @Entity('orders')
      class LargerOrder extends Order {
        @Column('text', { nullable: true })
        colour: string | null;
      }
      const changed = entities().map((entity) => (entity === Order ? LargerOrder : entity));
      const dataSource = await connect(context.server.config.DATABASE_URL!, { entities: changed });
      const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
      expect(upQueries.map(({ query }) => query)).toEqual(['ALTER TABLE "orders" ADD "colour" text']);
    });

    it('agree with the entities in every expression, of which TypeORM compares only the names', async () => {
      const migrated = context.server.dataSource;
      const scratch = await connect(await emptyDatabase(), { entities: entities() });
      await scratch.synchronize();
      expect(await schemaOf(migrated)).toEqual(await schemaOf(scratch));

      await scratch.query(`ALTER TABLE orders DROP CONSTRAINT orders_quantity_positive,
      ADD CONSTRAINT orders_quantity_positive CHECK (quantity > 1)`);
      expect((await scratch.driver.createSchemaBuilder().log()).upQueries).toEqual([]);
      expect(await schemaOf(migrated)).not.toEqual(await schemaOf(scratch));
    });
  });

  describe('migrate()', () => {
    const names = ALL.map(({ name }) => name);

    it('applies each migration once when three nodes start at once', async () => {
      const url = await emptyDatabase();
      const nodes = await Promise.all([connect(url), connect(url), connect(url)]);
      await Promise.all(nodes.map(migrate));
      expect(await applied(nodes[0])).toEqual(names);
    });

    it('does so where transactions see one snapshot unless told', async () => {
      const url = await emptyDatabase();
      const database = new URL(url).pathname.slice(1);
      const admin = await connect(url);
      await admin.query(`ALTER DATABASE ${database} SET default_transaction_isolation = 'repeatable read'`);
      const nodes = await Promise.all([connect(url), connect(url)]);
      await Promise.all(nodes.map(migrate));
      expect(await applied(admin)).toEqual(names);
    });

    it('leaves nothing behind when one fails, and lets the next node try', async () => {
      class Failing1999999999999 implements MigrationInterface {
        async up(): Promise<void> {
          throw new Error('it broke');
        }
        async down(): Promise<void> {}
      }
      const url = await emptyDatabase();
      // TypeORM's own logger would print the failure.
      const broken = await connect(url, { migrations: [...ALL, Failing1999999999999], logger: 'debug' });
      await expect(migrate(broken)).rejects.toThrow('it broke');
      expect(await broken.query(`SELECT * FROM pg_tables WHERE schemaname = 'public'`)).toEqual([]);

      const node = await connect(url);
      await migrate(node);
      expect(await applied(node)).toEqual(names);
    });

    it('waits for a node that takes longer than a query of a request may', async () => {
      const url = await emptyDatabase();
      const slow = await connect(url);
      const holder = slow.createQueryRunner();
      await holder.startTransaction();
      await holder.query('SELECT pg_advisory_xact_lock($1)', [0x61757468]);

      const node = await connect(url, { extra: { statement_timeout: 50 } });
      const migrated = migrate(node);
      await holder.query('SELECT pg_sleep(0.3)');
      await holder.commitTransaction();
      await holder.release();
      await migrated;
      expect(await applied(node)).toEqual(names);
      // The limit is back for what the connection does next.
      await expect(node.query('SELECT pg_sleep(1)')).rejects.toThrow('statement timeout');
    });

    it('changes nothing where all are in', async () => {
      const url = await emptyDatabase();
      const node = await connect(url);
      await migrate(node);
      const before = await schemaOf(node);
      await migrate(node);
      expect(await applied(node)).toEqual(names);
      expect(await schemaOf(node)).toEqual(before);
    });
  });
});
