import { type OnApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { InvalidCredentialError } from '../auth/auth.errors.js';
import { Principal } from '../auth/principal.js';
import type { UserScope } from '../auth/scopes.js';
import { Clock } from '../clock/clock.js';
import { CONFIG, type Config } from '../config/config.js';
import { sha256Hex } from '../crypto/secret.js';
import { LOGGER } from '../logging/logger.js';
import { CachedLookup } from '../revocations/cached-lookup.js';
import { RevocationFeed } from '../revocations/revocation-feed.js';
import { WriteBehind } from '../lookup/write-behind.js';
import type { UserStatus } from '../users/user.entity.js';
import { keyFault } from './api-key.format.js';

const LAST_USED_INTERVAL_MS = 5_000;

/** A key as a request's check needs it. */
export interface FoundKey {
  hash: string;
  id: string;
  userId: string;
  scopes: UserScope[];
  revision: number;
  expiresAt: Date | null;
  revokedAt: Date | null;
  ownerStatus: UserStatus;
}

const FIND = `
  SELECT encode(k.key_hash, 'hex') AS hash, k.id, k.user_id AS "userId", k.scopes, k.revision,
    k.expires_at AS "expiresAt", k.revoked_at AS "revokedAt", u.status AS "ownerStatus"
  FROM api_keys k JOIN users u ON u.id = k.user_id`;

/** What happens to a key on every request: its form, one merged look-up by its hash, and a note of its use. */
@Injectable()
export class ApiKeyVerifier implements OnApplicationShutdown {
  readonly #byHash: CachedLookup<FoundKey>;
  readonly #byId: CachedLookup<FoundKey>;
  readonly #lastUsed: WriteBehind<Date>;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
    feed: RevocationFeed,
  ) {
    const lookUp = (query: (keys: string[]) => Promise<Map<string, FoundKey>>) =>
      new CachedLookup(feed, config.CREDENTIAL_CACHE_TTL, query, ({ id, userId }) => [id, userId]);
    this.#byHash = lookUp((hashes) => this.#queryHashes(hashes));
    this.#byId = lookUp((ids) => this.#queryIds(ids));
    this.#lastUsed = new WriteBehind(
      LAST_USED_INTERVAL_MS,
      (uses) => this.#writeLastUsed(uses),
      (err) => logger.warn({ err }, 'the last uses of API keys wait to be written'),
    );
  }

  /** @throws InvalidCredentialError */
  async verify(key: string): Promise<Principal> {
    const { id, userId, scopes } = await this.identify(key);
    return new Principal({ mode: 'api-key', kind: 'machine', userId, credentialId: id, scopes });
  }

  /** The key that a text is, if it works now. @throws InvalidCredentialError */
  async identify(key: string): Promise<FoundKey> {
    const fault = keyFault(key, this.config.KEY_ENVIRONMENT);
    if (fault) throw new InvalidCredentialError(fault);
    const found = await this.#byHash.find(sha256Hex(key));
    const now = this.clock.now();
    if (!found) throw new InvalidCredentialError('unknown key');
    const refusal = whyRefused(found, now);
    if (refusal) throw new InvalidCredentialError(`${refusal}: ${found.id}`);
    this.#lastUsed.set(found.id, now);
    return found;
  }

  /** Why what was exchanged for this key at this revision is over; undefined while it is not. */
  async whyOver(exchanged: { id: string; userId: string; revision: number }): Promise<string | undefined> {
    const found = await this.#byId.find(exchanged.id);
    if (!found || found.userId !== exchanged.userId) return 'unknown key';
    if (found.revision !== exchanged.revision) return 'key narrowed since';
    return whyRefused(found, this.clock.now());
  }

  /** Before the last hook, in which TypeORM closes the pool. */
  onApplicationShutdown(): Promise<void> {
    return this.#lastUsed.stop();
  }

  async #queryHashes(hashes: string[]): Promise<Map<string, FoundKey>> {
    const rows: FoundKey[] = await this.dataSource.query(`${FIND} WHERE k.key_hash = ANY($1::bytea[])`, [
      hashes.map((hash) => Buffer.from(hash, 'hex')),
    ]);
    return new Map(rows.map((row) => [row.hash, row]));
  }

  async #queryIds(ids: string[]): Promise<Map<string, FoundKey>> {
    const rows: FoundKey[] = await this.dataSource.query(`${FIND} WHERE k.id = ANY($1::uuid[])`, [ids]);
    return new Map(rows.map((row) => [row.id, row]));
  }

  async #writeLastUsed(uses: Map<string, Date>): Promise<void> {
    // SKIP LOCKED: a row that another node or a revocation holds is not worth a wait, nor the deadlock of two batches.
    await this.dataSource.query(
      `WITH used AS (
         SELECT k.id, greatest(k.last_used_at, use.at) AS at
         FROM unnest($1::uuid[], $2::timestamptz[]) AS use (id, at) JOIN api_keys k ON k.id = use.id
         FOR NO KEY UPDATE OF k SKIP LOCKED)
       UPDATE api_keys k SET last_used_at = used.at FROM used WHERE k.id = used.id`,
      [[...uses.keys()], [...uses.values()]],
    );
  }
}

function whyRefused(key: FoundKey, now: Date): string | undefined {
  if (key.revokedAt !== null) return 'key revoked';
  if (key.expiresAt !== null && key.expiresAt <= now) return 'key expired';
  return key.ownerStatus === 'active' ? undefined : 'owner of the key disabled';
}
