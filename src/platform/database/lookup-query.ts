import type pg from 'pg';
import { type DataSource, QueryFailedError, TypeORMError } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import type { Config } from '../config/config.js';
import { sha256Hex } from '../crypto/secret.js';
import { isDatabaseUnavailable } from './unavailable.js';

/**
 * A query of credentials. It is a prepared statement, so PostgreSQL plans it once for each connection. A pooler in
 * transaction mode can give each query another connection, so it is not prepared there.
 */
export class LookupQuery<Row extends object> {
  readonly #statement: { readonly text: string; readonly name?: string };

  constructor(
    private readonly dataSource: DataSource,
    { DATABASE_LISTEN_URL }: Pick<Config, 'DATABASE_LISTEN_URL'>,
    text: string,
  ) {
    // A name has at most 63 bytes.
    this.#statement =
      DATABASE_LISTEN_URL === undefined ? { text, name: sha256Hex(text).slice(0, 32) } : { text };
  }

  /** Fails as a query of TypeORM does. */
  async rows(...values: unknown[]): Promise<Row[]> {
    const { master } = this.dataSource.driver as PostgresDriver;
    if (!master) throw new TypeORMError('Driver not Connected');
    // The pool does not tell the logger of TypeORM, which counts the statements of a request.
    void this.dataSource.logger.logQuery(this.#statement.text);
    try {
      return (await (master as pg.Pool).query<Row>({ ...this.#statement, values })).rows;
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      throw new QueryFailedError(this.#statement.text, undefined, error as Error);
    }
  }
}
