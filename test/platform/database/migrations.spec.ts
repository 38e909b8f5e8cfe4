import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Column,
  DataSource,
  type DataSourceOptions,
  Entity,
  type MigrationInterface,
  type QueryRunner,
} from 'typeorm';
import { dataSourceOptions } from '../../../src/platform/database/data-source.options.js';
import { migrate, revertLast } from '../../../src/platform/database/migrate.js';
import { allMigrations } from '../../../src/platform/database/migrations.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { InProcessServer } from '../../support/in-process.js';
import { Probe } from '../../support/probe/probe.entity.js';
import { useStarted } from '../../support/server.js';
import { until } from '../../support/until.js';

/** As TypeORM sorts them: by the time in the name. */
const ALL = allMigrations().toSorted((a, b) => a.name.slice(-13).localeCompare(b.name.slice(-13)));
/** TypeORM cannot describe partitions, triggers and functions. */
const WITHOUT_ENTITIES = /\baudit_/;
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

    it('make the schema that the entities describe', async () => {
      const { upQueries } = await context.server.dataSource.driver.createSchemaBuilder().log();
      expect(upQueries).toEqual([]);
    });

    it('do not match an entity with one more column', async () => {
      @Entity('probes')
      class LargerProbe extends Probe {
        @Column('text', { nullable: true })
        colour: string | null;
      }
      const changed = entities().map((entity) => (entity === Probe ? LargerProbe : entity));
      const dataSource = await connect(context.server.config.DATABASE_URL!, { entities: changed });
      const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
      expect(upQueries.map(({ query }) => query)).toEqual(['ALTER TABLE "probes" ADD "colour" text']);
    });

    it('match the entities in every expression, which TypeORM does not compare', async () => {
      const migrated = context.server.dataSource;
      const scratch = await connect(await emptyDatabase(), { entities: entities() });
      await scratch.synchronize();
      const described = (await schemaOf(migrated)).filter((line) => !WITHOUT_ENTITIES.test(line));
      expect(described).toEqual(await schemaOf(scratch));

      await scratch.query(`ALTER TABLE probes DROP CONSTRAINT probes_note_not_empty,
      ADD CONSTRAINT probes_note_not_empty CHECK (note <> 'x')`);
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

    it('does so if transactions are `repeatable read` by default', async () => {
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

    it('lets requests pass while a table stays locked, and runs when the table is free', async () => {
      class AddColumn1895300000001 implements MigrationInterface {
        up = (runner: QueryRunner) => runner.query('ALTER TABLE revocations ADD COLUMN region text');
        down = (runner: QueryRunner) => runner.query('ALTER TABLE revocations DROP COLUMN region');
      }
      const url = await emptyDatabase();
      const report = await connect(url);
      await migrate(report);
      const request = await connect(url);
      const node = await connect(url, { migrations: [...ALL, AddColumn1895300000001] });
      const duringReport = async <T>(change: () => Promise<T>): Promise<T> => {
        const runner = report.createQueryRunner();
        await runner.startTransaction();
        await runner.query('SELECT FROM revocations');
        const changed = change();
        await until(async () => (await request.query('SELECT FROM pg_locks WHERE NOT granted')).length > 0);
        // It queues behind the change, which would wait for the end of the report.
        await request.query('SELECT FROM revocations');
        await runner.commitTransaction();
        await runner.release();
        return changed;
      };
      const migrated = await duringReport(() => migrate(node));
      expect(migrated.map(({ name }) => name)).toEqual(['AddColumn1895300000001']);
      await duringReport(() => revertLast(node));
      expect(await applied(node)).toEqual(names);
    });

    it('refuses a database of a version before 0.1.0, and names the way out', async () => {
      const url = await emptyDatabase();
      const node = await connect(url);
      await node.query('CREATE TABLE migrations (id serial PRIMARY KEY, timestamp bigint, name text)');
      await node.query(
        `INSERT INTO migrations (timestamp, name) VALUES (1795300000001, 'Users1795300000001')`,
      );
      await expect(migrate(node)).rejects.toThrow(/before 0\.1\.0.* empty database/);
      expect((await schemaOf(node)).filter((line) => line.startsWith('column'))).toEqual([]);
    });

    it('changes nothing if all migrations are applied', async () => {
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
