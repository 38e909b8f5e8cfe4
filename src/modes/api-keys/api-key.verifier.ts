import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import { Principal } from '../../auth/principal.js';
import type { Scope } from '../../auth/scopes.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { sha256Hex } from '../../platform/crypto/secret.js';
import { AttemptCounter } from '../../platform/rate-limits/attempt-counter.js';
import { defineAttemptLimit } from '../../platform/rate-limits/attempt-limit.js';
import type { RateLimit } from '../../platform/rate-limits/rate-limiter.js';
import { LookupQuery } from '../../platform/database/lookup-query.js';
import { CachedLookup } from '../../platform/revocations/cached-lookup.js';
import { RevocationFeed } from '../../platform/revocations/revocation-feed.js';
import type { SubjectKind } from '../../accounts/subjects/subject.entity.js';
import { ApiKeyAdmission } from './api-key.admission.js';
import { keyFault } from './api-key.format.js';
import { type KeyOwner, ownerInSql } from './api-key.owners.js';
import { Networks } from './networks.js';

/** Keys with a right checksum, by address. Nobody can guess a key: this stops scans, and programs with a revoked key. */
const REFUSED_KEYS = defineAttemptLimit({
  name: 'refused-api-keys',
  attempts: 100,
  windowSeconds: 600,
  waits: { firstSeconds: 10, longestSeconds: 300 },
});

interface KeyRow {
  hash: string;
  id: string;
  ownerId: string;
  ownerKind: SubjectKind;
  /** Null if no room defines this kind of owner. */
  owner: KeyOwner | null;
  scopes: Scope[];
  resources: string[] | null;
  allowedCidrs: string[] | null;
  rateLimit: RateLimit;
  lineageId: string;
  revision: number;
  expiresAt: Date | null;
  revokedAt: Date | null;
}

/** The fields of a key that a request is checked by. */
export interface FoundKey extends Readonly<KeyRow> {
  /** Undefined: all addresses are allowed. */
  readonly networks: Networks | undefined;
  readonly principal: Principal;
}

/** What the token of a key says about it. */
interface ExchangedKey {
  readonly id: string;
  readonly ownerId: string;
  readonly revision: number;
}

const find = () => `
  SELECT encode(k.key_hash, 'hex') AS hash, k.id, k.owner_id AS "ownerId", s.kind AS "ownerKind",
    ${ownerInSql()} AS owner, k.scopes, k.resources, k.allowed_cidrs AS "allowedCidrs",
    json_build_object('requests', k.rate_limit_requests, 'windowSeconds', k.rate_limit_window_seconds) AS "rateLimit",
    k.lineage_id AS "lineageId", k.revision, k.expires_at AS "expiresAt", k.revoked_at AS "revokedAt"
  FROM api_keys k JOIN subjects s ON s.id = k.owner_id`;

/** Verifies keys: their form, and one cached lookup by hash. */
@Injectable()
export class ApiKeyVerifier {
  readonly #rowsByHash: LookupQuery<KeyRow>;
  readonly #rowsById: LookupQuery<KeyRow>;
  readonly #byHash: CachedLookup<FoundKey>;
  readonly #byId: CachedLookup<FoundKey>;

  constructor(
    @InjectDataSource() dataSource: DataSource,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    private readonly admission: ApiKeyAdmission,
    private readonly attempts: AttemptCounter,
    feed: RevocationFeed,
  ) {
    this.#rowsByHash = new LookupQuery(dataSource, config, `${find()} WHERE k.key_hash = ANY($1::bytea[])`);
    this.#rowsById = new LookupQuery(dataSource, config, `${find()} WHERE k.id = ANY($1::uuid[])`);
    const lookUp = (query: (keys: string[]) => Promise<Map<string, FoundKey>>) =>
      new CachedLookup(feed, config, query, ({ id, ownerId }) => [id, ownerId]);
    this.#byHash = lookUp((hashes) => this.#queryHashes(hashes));
    this.#byId = lookUp((ids) => this.#queryIds(ids));
  }

  /**
   * Returns the principal of a key for the current request.
   * @throws InvalidCredentialError
   * @throws RateLimitedError
   */
  verify(key: string): Principal | Promise<Principal> {
    try {
      const found = this.identify(key);
      if (!(found instanceof Promise)) return found.principal;
      return found.then(
        ({ principal }) => principal,
        (error: unknown) => this.#refuse(key, error),
      );
    } catch (error) {
      return this.#refuse(key, error);
    }
  }

  /**
   * Finds a key and checks that it works for the current request. The caller counts refusals, so that each counts once.
   * @throws InvalidCredentialError
   * @throws RateLimitedError unless `limited` is false
   */
  identify(key: string, options: { limited?: boolean } = {}): FoundKey | Promise<FoundKey> {
    const fault = keyFault(key, this.config.API_KEY_ENVIRONMENT);
    if (fault) throw new InvalidCredentialError(fault);
    return this.#byHash.use(sha256Hex(key), (found) => this.#admit(found, options));
  }

  /**
   * Finds the key that a token was exchanged for. It must still work and have the same revision.
   * @throws InvalidCredentialError
   */
  behind(exchanged: ExchangedKey): FoundKey | Promise<FoundKey> {
    return this.#byId.use(exchanged.id, (found) => this.#checkBehind(exchanged, found));
  }

  #admit(found: FoundKey | undefined, options: { limited?: boolean }): FoundKey | Promise<FoundKey> {
    if (!found) throw new InvalidCredentialError('unknown key');
    const refusal = whyRefused(found, this.clock.now());
    if (refusal) throw new InvalidCredentialError(`${refusal}: ${found.id}`);
    const admitted = this.admission.admit(found, options);
    return admitted instanceof Promise ? admitted.then(() => found) : found;
  }

  #checkBehind({ id, ownerId, revision }: ExchangedKey, found: FoundKey | undefined): FoundKey {
    const refusal =
      found?.ownerId === ownerId
        ? found.revision === revision
          ? whyRefused(found, this.clock.now())
          : 'key narrowed since'
        : 'unknown key';
    if (!found || refusal) throw new InvalidCredentialError(`${refusal}: ${id}`);
    return found;
  }

  /** Counts refusals for every reason, so that the limit does not reveal which keys exist. A wrong checksum needs no lookup. */
  async #refuse(key: string, error: unknown): Promise<never> {
    if (error instanceof InvalidCredentialError && !keyFault(key, this.config.API_KEY_ENVIRONMENT))
      await this.attempts.failed(REFUSED_KEYS);
    throw error;
  }

  async #queryHashes(hashes: string[]): Promise<Map<string, FoundKey>> {
    const rows = await this.#rowsByHash.rows(hashes.map((hash) => Buffer.from(hash, 'hex')));
    return new Map(rows.map((row) => [row.hash, foundKey(row)]));
  }

  async #queryIds(ids: string[]): Promise<Map<string, FoundKey>> {
    const rows = await this.#rowsById.rows(ids);
    return new Map(rows.map((row) => [row.id, foundKey(row)]));
  }
}

/** Parses the networks once per lookup, not once per request. */
const foundKey = (row: KeyRow): FoundKey => ({
  ...row,
  networks: row.allowedCidrs ? new Networks(row.allowedCidrs) : undefined,
  principal: new Principal({
    mode: 'api-key',
    kind: kindOf(row),
    subject: row.ownerId,
    credentialId: row.id,
    keyId: row.id,
    scopes: row.scopes,
    resources: row.resources ?? undefined,
  }),
});

/** The kind of principal of a key. */
export const kindOf = ({ ownerKind }: Pick<FoundKey, 'ownerKind'>): 'service-account' | 'machine' =>
  ownerKind === 'service-account' ? 'service-account' : 'machine';

function whyRefused(key: FoundKey, now: Date): string | undefined {
  if (key.revokedAt !== null) return 'key revoked';
  if (key.expiresAt !== null && key.expiresAt <= now) return 'key expired';
  return key.owner?.status === 'active' ? undefined : 'owner of the key disabled';
}
