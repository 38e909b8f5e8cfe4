import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Secret, sha256 } from '../../platform/crypto/secret.js';
import { AfterCommit } from '../../platform/database/after-commit.js';
import { clientOf } from '../../platform/logging/client-of.js';
import { requestContext } from '../../platform/logging/request-context.js';
import { DEVICE_LIFETIME_MS, presentedDevice } from './device-cookie.js';
import type { KnownSource } from './known-source.entity.js';

const NETWORK_LIFETIME_MS = 30 * 86_400_000;
/** Of each kind, for each person. Above this limit, those that were unused for the longest time are forgotten. */
export const MAX_SOURCES = 100;

const REMEMBER = `
  INSERT INTO known_sources (source, user_id, kind, expires_at)
  SELECT s.source, $1, s.kind, s.expires_at
  FROM unnest($2::bytea[], $3::text[], $4::timestamptz[]) AS s (source, kind, expires_at)
  ON CONFLICT (source, user_id) DO UPDATE SET expires_at = excluded.expires_at
  RETURNING kind, xmax = 0 AS added`;

const TRIM = `
  DELETE FROM known_sources WHERE user_id = $1 AND source IN (
    SELECT source FROM (
      SELECT source, row_number() OVER (PARTITION BY kind ORDER BY expires_at DESC, source) AS place
      FROM known_sources WHERE user_id = $1) AS placed
    WHERE place > $2)`;

/** An account, also one that does not exist. */
export type Account = { readonly email: string } | { readonly userId: string };

export interface Source {
  /** Undefined if there is no such account. */
  readonly userId: string | undefined;
  /** The client address: IPv4, or IPv6 /64. */
  readonly client: string;
  /** The kind of known source that the request comes from. A device comes before a network. */
  readonly known: KnownSource['kind'] | undefined;
  /** A name of the known source. Undefined for an unknown one. */
  readonly name: string | undefined;
}

/** The devices and networks from which people have signed in or set a password by a link. A stranger cannot use up the attempts from there. */
@Injectable()
export class KnownSources {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly afterCommit: AfterCommit,
  ) {}

  /** Where the current request comes from. The query is the same whether the account exists or not. */
  async of(account: Account): Promise<Source> {
    const context = requestContext();
    const client = clientOf(context?.ip ?? '');
    const device = presentedDevice(context);
    const [column, value] = 'email' in account ? ['email', account.email] : ['id', account.userId];
    const [row]: { userId: string; kinds: (KnownSource['kind'] | null)[] }[] = await this.dataSource.query(
      `SELECT u.id AS "userId", array_agg(k.kind) AS kinds
       FROM users u LEFT JOIN known_sources k
         ON k.user_id = u.id AND k.source = ANY($2::bytea[]) AND k.expires_at > $3
       WHERE u.${column} = $1 GROUP BY u.id`,
      [value, [networkHash(client), ...(device ? [sha256(device)] : [])], this.clock.now()],
    );
    const userId = row?.userId;
    if (device && row?.kinds.includes('device'))
      return { userId, client, known: 'device', name: sha256(device).toString('base64') };
    if (row?.kinds.includes('network')) return { userId, client, known: 'network', name: client };
    return { userId, client, known: undefined, name: undefined };
  }

  /**
   * Remembers the source of a sign-in or of a used mail link, in its transaction. The caller must hold the lock of the user's
   * row. Returns whether the device was unknown.
   */
  async remember(manager: EntityManager, userId: string): Promise<boolean> {
    const context = requestContext();
    if (!context) return false;
    const device = await this.#device(manager, presentedDevice(context));
    const remembered: (Pick<KnownSource, 'kind'> & { added: boolean })[] = await manager.query(REMEMBER, [
      userId,
      [device.hash(), networkHash(clientOf(context.ip))],
      ['device', 'network'],
      [this.clock.in(DEVICE_LIFETIME_MS), this.clock.in(NETWORK_LIFETIME_MS)],
    ]);
    await manager.query(TRIM, [userId, MAX_SOURCES]);
    this.afterCommit.run(manager, () => (context.device = device));
    return remembered.some(({ kind, added }) => kind === 'device' && added);
  }

  /** Forgets all sources of a person, because a stranger has signed in from one of them. */
  async forgetAll(manager: EntityManager, userId: string): Promise<void> {
    await manager.query('DELETE FROM known_sources WHERE user_id = $1', [userId]);
  }

  /** Keeps a value that this server has issued, so that several people of a browser stay known. Replaces any other value. */
  async #device(manager: EntityManager, presented: string | undefined): Promise<Secret> {
    if (presented === undefined) return Secret.random();
    const issued: unknown[] = await manager.query(
      `SELECT 1 FROM known_sources WHERE source = $1 AND kind = 'device' AND expires_at > $2 LIMIT 1`,
      [sha256(presented), this.clock.now()],
    );
    return issued.length > 0 ? new Secret(presented) : Secret.random();
  }
}

const networkHash = (client: string): Buffer => sha256(`network ${client}`);
