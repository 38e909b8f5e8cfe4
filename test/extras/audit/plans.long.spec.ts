import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { AuditEventsService } from '../../../src/extras/audit/audit-events.service.js';
import { AuditQuery } from '../../../src/extras/audit/audit.schemas.js';
import { InProcessServer } from '../../support/in-process.js';
import { useStarted } from '../../support/server.js';
import { DISABLE_TRIGGERS } from './without-triggers.js';

/** AUDIT_ROWS=10000000 takes some minutes. AUDIT_PLANS=on prints the plans. */
const ROWS = Number(process.env['AUDIT_ROWS'] ?? 200_000);
const MONTHS = 12;

const BATCH = 50_000;

/** One event of a hundred is of this person, and one of a thousand has the rare type. The second person has few events. */
const FILL = `
  INSERT INTO audit_events (id, at, type, result, subject_id, requests, details)
  SELECT (left(audit_bound(at)::text, 14) || '7' || substr(gen_random_uuid()::text, 16))::uuid, at,
    CASE WHEN n % 1000 = 0 THEN 'rare.event' ELSE 'token.refreshed' END, 'allowed',
    CASE WHEN n % 100 = 0 THEN $1::uuid WHEN n % (${ROWS} / 5) = 1 THEN $3::uuid ELSE gen_random_uuid() END, 1, '{}'
  FROM (SELECT n, now() - n * (interval '${MONTHS - 1} months' / ${ROWS}) AS at
        FROM generate_series($2::int, least($2::int + ${BATCH} - 1, ${ROWS})) AS n) t`;

interface Plan {
  readonly 'Node Type': string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
}

interface Query {
  readonly of?: 'ada' | 'bob';
  readonly type?: string;
  readonly to?: string;
}

const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
const rowsRead = (plan: Plan): number =>
  nodesOf(plan)
    .map((node) => (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'])
    .reduce((most, rows) => Math.max(most, rows), 0);

describe('a page of a large audit log', () => {
  const context = useStarted(() => InProcessServer.start());
  let ada: string;
  let bob: string;

  beforeAll(async () => {
    ada = (await context.server.person()).id;
    bob = (await context.server.person()).id;
    await context.server.dataSource.transaction(async (manager) => {
      await manager.query('SET LOCAL statement_timeout = 0');
      await manager.query(
        `SELECT audit_add_partition(now() - make_interval(months => n)) FROM generate_series(0, ${MONTHS}) AS n`,
      );
      // Without the queue of seals.
      await manager.query(DISABLE_TRIGGERS);
      const subjectOf = async (account: string): Promise<string> =>
        (await manager.query('SELECT id FROM audit_subjects WHERE account_id = $1', [account]))[0].id;
      const [many, few] = [await subjectOf(ada), await subjectOf(bob)];
      // One statement would take longer than a query of a request may.
      for (let first = 1; first <= ROWS; first += BATCH) await manager.query(FILL, [many, first, few]);
    });
    await context.server.query('ANALYZE audit_events');
  });

  async function planOf(query: object, account?: string): Promise<Plan> {
    const { dataSource, app } = context.server;
    const spy = jest.spyOn(dataSource, 'query');
    const events = app.get(AuditEventsService, { strict: false });
    const parsed = AuditQuery.parse(query);
    await (account === undefined ? events.pageOfAll(parsed) : events.pageOf(account, parsed));
    const [sql, parameters] = spy.mock.calls.find(([text]) => text.includes('FROM audit_events'))!;
    spy.mockRestore();
    if (process.env['AUDIT_PLANS']) await print(JSON.stringify(query), sql, parameters);
    return dataSource.transaction(async (manager) => {
      // PostgreSQL reads a month of few rows whole, in any case.
      await manager.query('SET LOCAL enable_seqscan = off');
      const [row] = await manager.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`, parameters);
      return row['QUERY PLAN'][0].Plan;
    });
  }

  async function print(name: string, sql: string, parameters?: object): Promise<void> {
    const rows: object[] = await context.server.dataSource.query(
      `EXPLAIN (ANALYZE, BUFFERS) ${sql}`,
      parameters as unknown[],
    );
    process.stderr.write([name, ...rows.flatMap(Object.values), ''].join('\n'));
  }

  const middle = () => new Date(Date.now() - 180 * 86_400_000).toISOString();

  it.each<[string, Query, number]>([
    ['the newest of all', {}, 101],
    ['one in the middle of all', { to: 'middle' }, 101],
    ['a rare type', { type: 'rare.event' }, 101],
    ['a type that never happened', { type: 'no.event' }, 0],
    ['one person', { of: 'ada' }, 101],
    ['one person in the middle', { of: 'ada', to: 'middle' }, 101],
    ['one person with few events', { of: 'bob' }, 5],
  ])(
    'reads only the rows of the page and one for each partition: %s',
    async (_name, { of, ...query }, rows) => {
      const filters = { limit: '100', ...query, ...(query.to && { to: middle() }) };
      const plan = await planOf(filters, of && { ada, bob }[of]);
      expect(plan['Actual Rows']).toBe(rows);
      expect(rowsRead(plan)).toBeLessThanOrEqual(101 + MONTHS + 3);
      const page = nodesOf(nodesOf(plan).find((node) => node['Node Type'] === 'Limit')!);
      const readers = page.filter((node) => node['Actual Rows'] > 0).map((node) => node['Node Type']);
      for (const reader of readers)
        expect(['Limit', 'Append', 'Merge Append', 'Index Scan']).toContain(reader);
    },
  );
});
