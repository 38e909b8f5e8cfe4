import type { EventEmitter } from 'node:events';
import pg from 'pg';
import { endsConnection, markAsUnavailable } from './unavailable.js';

type OnConnect = Parameters<pg.Pool['connect']>[0];

/**
 * pg's pool with two additions. It discards a connection after an error such as "read-only": after a failover, a
 * connection can stay open to a server that no longer accepts writes. It also marks every failure to connect.
 */
export class DatabasePool extends pg.Pool {
  readonly #useless = new WeakSet<pg.PoolClient>();

  constructor(options?: pg.PoolConfig) {
    super(options);
    this.on('connect', (client) => {
      const { connection } = client as unknown as { connection: EventEmitter };
      connection.on('errorMessage', ({ code }: { code?: string }) => {
        if (endsConnection(code)) this.#useless.add(client);
      });
    });
    // Emitted before the pool decides to keep the connection. It keeps no ended connection.
    this.on('release', (_error, client) => {
      if (this.#useless.has(client)) void client.end();
    });
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: OnConnect): void;
  override connect(callback?: OnConnect): Promise<pg.PoolClient> | void {
    if (!callback)
      return super.connect().catch((error: unknown) => {
        throw markAsUnavailable(error);
      });
    super.connect((error, client, release) => callback(markAsUnavailable(error), client, release));
  }
}
