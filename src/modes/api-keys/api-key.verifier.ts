import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import { Principal } from '../../auth/principal.js';
import type { Scope } from '../../auth/scopes.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { sha256Hex } from '../../platform/crypto/secret.js';
import type { RateLimit } from '../../platform/rate-limits/rate-limiter.js';
import { CachedLookup } from '../../platform/revocations/cached-lookup.js';
import { RevocationFeed } from '../../platform/revocations/revocation-feed.js';
import type { SubjectKind } from '../../accounts/users/subject.entity.js';
import type { UserStatus } from '../../accounts/users/user.entity.js';
import { ApiKeyAdmission } from './api-key.admission.js';
import { keyFault } from './api-key.format.js';
import { Networks } from './networks.js';

interface KeyRow {
  hash: string;
  id: string;
  ownerId: string;
  ownerKind: SubjectKind;
  ownerStatus: UserStatus;
  /** Of a service account: the one of AUDIENCES whose tokens it may introspect. */
  audience: string | null;
  scopes: Scope[];
  resources: string[] | null;
  allowedCidrs: string[] | null;
  rateLimit: RateLimit;
  lineageId: string;
  revision: number;
  expiresAt: Date | null;
  revokedAt: Date | null;
}

/** A key as a request's check needs it. */
export interface FoundKey extends Readonly<KeyRow> {
  /** Undefined: from anywhere. */
  readonly networks: Networks | undefined;
}

const FIND = `
  SELECT encode(k.key_hash, 'hex') AS hash, k.id, k.owner_id AS "ownerId", s.kind AS "ownerKind",
    coalesce(u.status, a.status) AS "ownerStatus", a.audience, k.scopes, k.resources, k.allowed_cidrs AS "allowedCidrs",
    json_build_object('requests', k.rate_limit_requests, 'windowSeconds', k.rate_limit_window_seconds) AS "rateLimit",
    k.lineage_id AS "lineageId", k.revision, k.expires_at AS "expiresAt", k.revoked_at AS "revokedAt"
  FROM api_keys k JOIN subjects s ON s.id = k.owner_id LEFT JOIN users u ON u.id = k.owner_id
    LEFT JOIN service_accounts a ON a.id = k.owner_id`;

/** What a key is and whether it works now: its form, and one merged look-up by its hash. */
@Injectable()
export class ApiKeyVerifier {
  readonly #byHash: CachedLookup<FoundKey>;
  readonly #byId: CachedLookup<FoundKey>;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    private readonly admission: ApiKeyAdmission,
    feed: RevocationFeed,
  ) {
    const lookUp = (query: (keys: string[]) => Promise<Map<string, FoundKey>>) =>
      new CachedLookup(feed, config.CREDENTIAL_CACHE_TTL, query, ({ id, ownerId }) => [id, ownerId]);
    this.#byHash = lookUp((hashes) => this.#queryHashes(hashes));
    this.#byId = lookUp((ids) => this.#queryIds(ids));
  }

  /**
   * Who a key stands for in the request under way.
   * @throws InvalidCredentialError
   * @throws RateLimitedError
   */
  async verify(key: string): Promise<Principal> {
    const found = await this.identify(key);
    return new Principal({
      mode: 'api-key',
      kind: kindOf(found),
      subject: found.ownerId,
      credentialId: found.id,
      keyId: found.id,
      scopes: found.scopes,
      resources: found.resources ?? undefined,
    });
  }

  /**
   * The key that a text is, if it works now and for the request under way.
   * @throws InvalidCredentialError
   * @throws RateLimitedError, unless the request is one that is never limited
   */
  async identify(key: string, options: { limited?: boolean } = {}): Promise<FoundKey> {
    const fault = keyFault(key, this.config.API_KEY_ENVIRONMENT);
    if (fault) throw new InvalidCredentialError(fault);
    const found = await this.#byHash.find(sha256Hex(key));
    if (!found) throw new InvalidCredentialError('unknown key');
    const refusal = whyRefused(found, this.clock.now());
    if (refusal) throw new InvalidCredentialError(`${refusal}: ${found.id}`);
    await this.admission.admit(found, options);
    return found;
  }

  /**
   * The key that a token was exchanged for, at the revision that it had, if it still works.
   * @throws InvalidCredentialError
   */
  async behind(exchanged: { id: string; ownerId: string; revision: number }): Promise<FoundKey> {
    const found = await this.#byId.find(exchanged.id);
    const refusal =
      found?.ownerId === exchanged.ownerId
        ? found.revision === exchanged.revision
          ? whyRefused(found, this.clock.now())
          : 'key narrowed since'
        : 'unknown key';
    if (!found || refusal) throw new InvalidCredentialError(`${refusal}: ${exchanged.id}`);
    return found;
  }

  async #queryHashes(hashes: string[]): Promise<Map<string, FoundKey>> {
    const rows: KeyRow[] = await this.dataSource.query(`${FIND} WHERE k.key_hash = ANY($1::bytea[])`, [
      hashes.map((hash) => Buffer.from(hash, 'hex')),
    ]);
    return new Map(rows.map((row) => [row.hash, withNetworks(row)]));
  }

  async #queryIds(ids: string[]): Promise<Map<string, FoundKey>> {
    const rows: KeyRow[] = await this.dataSource.query(`${FIND} WHERE k.id = ANY($1::uuid[])`, [ids]);
    return new Map(rows.map((row) => [row.id, withNetworks(row)]));
  }
}

/** Read once for each look-up, not for each request. */
const withNetworks = (row: KeyRow): FoundKey => ({
  ...row,
  networks: row.allowedCidrs ? new Networks(row.allowedCidrs) : undefined,
});

/** What a principal is that this key carries. */
export const kindOf = ({ ownerKind }: Pick<FoundKey, 'ownerKind'>) =>
  ownerKind === 'service-account' ? 'service-account' : 'machine';

function whyRefused(key: FoundKey, now: Date): string | undefined {
  if (key.revokedAt !== null) return 'key revoked';
  if (key.expiresAt !== null && key.expiresAt <= now) return 'key expired';
  return key.ownerStatus === 'active' ? undefined : 'owner of the key disabled';
}
