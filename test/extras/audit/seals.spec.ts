import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { verifyAudit } from '../../../src/extras/audit/audit-verification.js';
import { HousekeepingService } from '../../../src/platform/housekeeping/housekeeping.service.js';
import { insertRows, rowOf } from '../../../src/extras/audit/audit-rows.js';
import { InProcessServer } from '../../support/in-process.js';
import { DISABLE_TRIGGERS } from './without-triggers.js';

describe('the seals of the audit log', () => {
  let server: InProcessServer;
  beforeEach(async () => {
    server = await InProcessServer.start();
  });
  afterEach(() => server.stop());

  const event = (type: string) =>
    rowOf({ type, result: 'allowed', facts: { note: type } }, server.clock.now());
  const record = (...types: string[]) => insertRows(server.dataSource.manager, types.map(event));
  const seal = async (after = '11s') => {
    server.clock.advance(after);
    await server.app.get(HousekeepingService, { strict: false }).runNow('audit-seals');
  };
  const verify = (secrets = server.config.ENCRYPTION_SECRETS) =>
    verifyAudit(server.dataSource.manager, secrets);
  /** As the owner of the tables, without their triggers. */
  const attack = (statement: string, parameters: unknown[] = []) =>
    server.dataSource.transaction(async (manager) => {
      await manager.query(DISABLE_TRIGGERS);
      await manager.query(statement, parameters);
    });
  const ids = async (): Promise<string[]> => {
    const rows = await server.query(
      `SELECT unnest(event_ids) AS id FROM (SELECT event_ids FROM audit_seals ORDER BY number) s`,
    );
    return rows.map(({ id }: { id: string }) => id);
  };
  /** Two seals of three events each. */
  const sealed = async () => {
    await record('a.one', 'a.two', 'a.three');
    await seal();
    await record('b.one', 'b.two', 'b.three');
    await seal();
    expect(await verify()).toEqual({ seals: 2, events: 6 });
    return ids();
  };

  it('seals what a transaction commits late in a later seal', async () => {
    const runner = server.dataSource.createQueryRunner();
    await runner.startTransaction();
    await insertRows(runner.manager, [event('late.one')]);
    await record('early.one');
    await seal();
    expect(await ids()).toHaveLength(1);
    await runner.commitTransaction();
    await runner.release();
    await seal();
    expect(await verify()).toEqual({ seals: 2, events: 2 });
  });

  it('makes at most one seal in five seconds, and none without new events', async () => {
    await record('a.one');
    await seal();
    await record('a.two');
    await seal('4s');
    expect(await verify()).toEqual({ seals: 1, events: 1 });
    await seal();
    await seal();
    expect(await verify()).toEqual({ seals: 2, events: 2 });
  });

  it('seals at every tick of its timer, also if the last seal was a moment late', async () => {
    await record('a.one');
    await seal();
    await record('a.two');
    await seal('9s');
    expect(await verify()).toEqual({ seals: 2, events: 2 });
  });

  it('seals a backlog at once, in several seals', async () => {
    await server.query(
      `INSERT INTO audit_events (id, at, type, result, requests, details)
       SELECT audit_bound(now() - make_interval(secs => n)), now(), 'test.event', 'allowed', 1, '{}'
       FROM generate_series(1, 20001) AS n`,
    );
    await seal();
    expect(await verify()).toEqual({ seals: 3, events: 20_001 });
  });

  it('accepts seals of an earlier secret while it is configured', async () => {
    await sealed();
    const fresh = 'a fresh secret of more than 32 characters';
    expect(await verify([fresh, ...server.config.ENCRYPTION_SECRETS])).toEqual({ seals: 2, events: 6 });
    await expect(verify([fresh])).rejects.toThrow(/seal 1/i);
  });

  it.each(['UPDATE audit_seals SET sealed_at = now()', 'DELETE FROM audit_seals', 'TRUNCATE audit_seals'])(
    'refuses %s',
    async (statement) => {
      await sealed();
      await expect(server.query(statement)).rejects.toMatchObject({ code: '42501' });
    },
  );

  describe('retention', () => {
    /** Events of 15 months ago, in a partition of their month. */
    const recordOld = async () => {
      const past = `now() - interval '15 months'`;
      await server.query(`SELECT audit_add_partition(${past})`);
      await server.query(
        `INSERT INTO audit_events (id, at, type, result, requests, details)
         SELECT audit_bound(at + make_interval(secs => n)), at, 'old.event', 'allowed', 1, '{}'
         FROM (SELECT ${past} AS at) t, generate_series(1, 3) AS n`,
      );
    };
    const partitions = async () =>
      (await server.query(`SELECT 1 FROM pg_inherits WHERE inhparent = 'audit_events'::regclass`)).length;
    const retire = () => server.app.get(HousekeepingService, { strict: false }).runNow('audit-retention');

    it('drops whole partitions and keeps their seals', async () => {
      const before = await partitions();
      await recordOld();
      await seal();
      await record('a.new');
      await seal();
      await retire();
      expect(await partitions()).toBe(before);
      const types = await server.query('SELECT type FROM audit_events');
      expect(types).toEqual([{ type: 'a.new' }]);
      expect(await verify()).toEqual({ seals: 3, events: 4 });
    });

    it('does not wait long for a transaction that writes an event', async () => {
      await recordOld();
      await seal();
      const before = await partitions();
      const runner = server.dataSource.createQueryRunner();
      await runner.startTransaction();
      await insertRows(runner.manager, [event('a.new')]);
      await retire();
      expect(server.entries().findLast(({ level }) => level === 'error')).toMatchObject({
        task: 'audit-retention',
        err: { code: '55P03' },
      });
      await runner.commitTransaction();
      await runner.release();
      expect(await partitions()).toBe(before);
      expect(await verify()).toEqual({ seals: 1, events: 3 });
      await retire();
      expect(await partitions()).toBe(before - 1);
    });

    it('keeps a partition with events that are not sealed', async () => {
      await recordOld();
      await retire();
      expect(await server.query('SELECT type FROM audit_events')).toHaveLength(3);
    });

    it('does not excuse a later event that was removed', async () => {
      await recordOld();
      await record('a.new');
      await seal();
      await retire();
      const all = await ids();
      await attack('DELETE FROM audit_events WHERE id = $1', [all.at(-1)]);
      await expect(verify()).rejects.toThrow(`Event ${all.at(-1)} (seal 1, position 4) was removed`);
    });

    it('finds a partition that was dropped by somebody else', async () => {
      await recordOld();
      await seal();
      const [first] = await ids();
      await server.query(`SELECT audit_drop_partitions(audit_bound(now() - interval '1 year'))`);
      await expect(verify()).rejects.toThrow(`Event ${first} (seal 1, position 1) was removed`);
    });
  });
});
