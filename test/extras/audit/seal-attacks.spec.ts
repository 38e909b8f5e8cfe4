import { beforeAll, describe, expect, it } from '@jest/globals';
import { insertRows, rowOf } from '../../../src/extras/audit/audit-rows.js';
import { type KnownHead, verifyAudit } from '../../../src/extras/audit/audit-verification.js';
import { HousekeepingService } from '../../../src/platform/housekeeping/housekeeping.service.js';
import { InProcessServer } from '../../support/in-process.js';
import { useStarted } from '../../support/server.js';
import { DISABLE_TRIGGERS } from './without-triggers.js';

describe('an attack on the audit log by the owner of its tables', () => {
  const context = useStarted(() => InProcessServer.start());
  let ids: string[];

  /** Two seals of three events each. */
  beforeAll(async () => {
    const { app, clock, dataSource } = context.server;
    for (const seal of ['a', 'b']) {
      const events = ['one', 'two', 'three'].map((name) =>
        rowOf({ type: `${seal}.${name}`, result: 'allowed', facts: { name } }, clock.now()),
      );
      await insertRows(dataSource.manager, events);
      clock.advance('11s');
      await app.get(HousekeepingService, { strict: false }).runNow('audit-seals');
    }
    const seals = await context.server.query('SELECT event_ids AS ids FROM audit_seals ORDER BY number');
    ids = seals.flatMap((seal: { ids: string[] }) => seal.ids);
    expect(ids).toHaveLength(6);
  });

  /** What the verification says after the statements, which run without triggers and are rolled back. */
  async function verdict(statements: [string, unknown[]?][], known?: KnownHead): Promise<string> {
    const runner = context.server.dataSource.createQueryRunner();
    await runner.startTransaction();
    try {
      await runner.query(DISABLE_TRIGGERS);
      for (const [statement, parameters] of statements) await runner.query(statement, parameters);
      const { ENCRYPTION_SECRETS } = context.server.config;
      const { seals, events } = await verifyAudit(runner.manager, ENCRYPTION_SECRETS, known);
      return `${events} events in ${seals} seals`;
    } catch (error) {
      return (error as Error).message;
    } finally {
      await runner.rollbackTransaction();
      await runner.release();
    }
  }

  it('is not found where there was none', async () => {
    expect(await verdict([])).toBe('6 events in 2 seals');
  });

  it.each([
    "type = 'x.y'",
    "at = at - interval '1 microsecond'",
    'subject_id = gen_random_uuid()',
    "details = '{}'",
  ])('[V16.4.2] names an event that was changed: %s', async (change) => {
    const said = await verdict([[`UPDATE audit_events SET ${change} WHERE id = $1`, [ids[2]]]]);
    expect(said).toBe(`Event ${ids[2]} (seal 1, position 3) was changed or reordered.`);
  });

  it('names the first of several events that were removed', async () => {
    const said = await verdict([['DELETE FROM audit_events WHERE id = ANY($1)', [[ids[4], ids[1]]]]]);
    expect(said).toBe(`Event ${ids[1]} (seal 1, position 2) was removed.`);
  });

  it('names the first event after all were truncated', async () => {
    expect(await verdict([['TRUNCATE audit_events']])).toBe(
      `Event ${ids[0]} (seal 1, position 1) was removed.`,
    );
  });

  it('names the first of two events whose contents were exchanged', async () => {
    const said = await verdict([
      [
        `UPDATE audit_events e SET type = o.type, details = o.details, at = o.at FROM audit_events o
         WHERE (e.id = $1 AND o.id = $2) OR (e.id = $2 AND o.id = $1)`,
        [ids[1], ids[2]],
      ],
    ]);
    expect(said).toBe(`Event ${ids[1]} (seal 1, position 2) was changed or reordered.`);
  });

  it('names the first event of a seal that was reordered', async () => {
    const said = await verdict([
      [
        `UPDATE audit_seals SET event_ids = ARRAY[event_ids[2], event_ids[1], event_ids[3]],
           links = substr(links, 1, 32) || substr(links, 65, 32) || substr(links, 33, 32) || substr(links, 97)
         WHERE number = 1`,
      ],
    ]);
    expect(said).toBe(`Event ${ids[1]} (seal 1, position 1) was changed or reordered.`);
  });

  it('names the event after one that was removed together with its place in the seal', async () => {
    const said = await verdict([
      ['DELETE FROM audit_events WHERE id = $1', [ids[1]]],
      [
        `UPDATE audit_seals SET event_ids = $1, links = substr(links, 1, 64) || substr(links, 97) WHERE number = 1`,
        [[ids[0], ids[2]]],
      ],
    ]);
    expect(said).toBe(`Event ${ids[2]} (seal 1, position 2) was changed or reordered.`);
  });

  it('finds an event that was removed with its place at the end of a seal', async () => {
    const said = await verdict([
      ['DELETE FROM audit_events WHERE id = $1', [ids[5]]],
      [
        `UPDATE audit_seals SET event_ids = $1, links = substr(links, 1, 96) WHERE number = 2`,
        [ids.slice(3, 5)],
      ],
    ]);
    expect(said).toMatch(`Its first event is ${ids[3]}.`);
    expect(said).toMatch('Seal 2 was changed');
  });

  it.each(["sealed_at = sealed_at - interval '1 day'", 'retired_before = audit_bound(now())'])(
    'names a seal that was changed: %s',
    async (change) => {
      expect(await verdict([[`UPDATE audit_seals SET ${change} WHERE number = 2`]])).toMatch(
        'Seal 2 was changed',
      );
    },
  );

  it('names a seal that was removed', async () => {
    expect(await verdict([['DELETE FROM audit_seals WHERE number = 1']])).toBe('Seal 1 was removed.');
  });

  it('names the first event whose last seal was removed', async () => {
    const said = await verdict([['DELETE FROM audit_seals WHERE number = 2']]);
    expect(said).toBe(`Event ${ids[3]} has lost its seal.`);
  });

  it('finds by a head from the log that the end of the log was removed', async () => {
    const end: [string, unknown[]?][] = [
      ['DELETE FROM audit_seals WHERE number = 2'],
      ['DELETE FROM audit_events WHERE id = ANY($1)', [ids.slice(3)]],
    ];
    expect(await verdict(end)).toBe('3 events in 1 seals');
    const entry = context.server.log.map((line) => JSON.parse(line)).find(({ seal }) => seal === 2);
    const known = { number: 2, head: entry.head as string };
    expect(await verdict([], known)).toBe('6 events in 2 seals');
    expect(await verdict(end, known)).toMatch('Seal 2 was removed');
    expect(await verdict([], { number: 2, head: '0'.repeat(64) })).toMatch('Seal 2 was replaced');
  });

  it('finds an event that was removed before it was sealed', async () => {
    const id = '01900000-0000-7000-8000-000000000000';
    const said = await verdict([['INSERT INTO audit_unsealed (event_id) VALUES ($1)', [id]]]);
    expect(said).toBe(`Event ${id} was removed before it was sealed.`);
  });

  it('finds an event that avoided its seal', async () => {
    const said = await verdict([
      [
        `INSERT INTO audit_events (id, at, type, result, requests, details) VALUES ($1, now(), 'x.y', 'allowed', 1, '{}')`,
        ['01900000-0000-7000-8000-000000000000'],
      ],
    ]);
    expect(said).toBe('Event 01900000-0000-7000-8000-000000000000 has lost its seal.');
  });
});
