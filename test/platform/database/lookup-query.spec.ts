import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { DataSource, QueryFailedError } from 'typeorm';
import { dataSourceOptions } from '../../../src/platform/database/data-source.options.js';
import { LookupQuery } from '../../../src/platform/database/lookup-query.js';
import { isDatabaseUnavailable } from '../../../src/platform/database/unavailable.js';
import { InProcessServer } from '../../support/in-process.js';
import { useStarted } from '../../support/server.js';

describe('a lookup query', () => {
  const context = useStarted(() => InProcessServer.start());
  const direct = { DATABASE_LISTEN_URL: undefined };
  const pooled = { DATABASE_LISTEN_URL: 'postgres://db.example.com/app' };
  const found = (config: typeof direct | typeof pooled, text: string) =>
    new LookupQuery<{ n: number }>(context.server.dataSource, config, text);

  /** How often the statement is prepared, on all connections. */
  async function prepared(text: string): Promise<number> {
    const counts = found(
      pooled,
      'SELECT count(*)::int AS n FROM pg_prepared_statements WHERE statement = $1',
    );
    const all = await Promise.all(Array.from({ length: 40 }, () => counts.rows(text)));
    return Math.max(...all.map(([row]) => row!.n));
  }

  it('is planned once for each connection', async () => {
    const text = `SELECT $1::int AS n -- ${randomUUID()}`;
    const query = found(direct, text);
    expect([await query.rows(1), await query.rows(2)]).toEqual([[{ n: 1 }], [{ n: 2 }]]);
    expect(await prepared(text)).toBe(1);
  });

  it('is not prepared behind a pooler', async () => {
    const text = `SELECT $1::int AS n -- ${randomUUID()}`;
    expect(await found(pooled, text).rows(1)).toEqual([{ n: 1 }]);
    expect(await prepared(text)).toBe(0);
  });

  it('fails as a query of TypeORM does', async () => {
    const error: unknown = await found(direct, 'SELECT 1 / $1::int AS n')
      .rows(0)
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(QueryFailedError);
    expect(error).toMatchObject({ message: 'division by zero', driverError: { code: '22012' } });
    expect(isDatabaseUnavailable(error)).toBe(false);
  });

  it('says that the database is unavailable, if the pool is closed', async () => {
    const closed = new DataSource(dataSourceOptions('postgres://127.0.0.1:1/none', 1));
    const error: unknown = await new LookupQuery(closed, direct, 'SELECT 1 AS n')
      .rows()
      .catch((reason: unknown) => reason);
    expect(isDatabaseUnavailable(error)).toBe(true);
  });
});
