import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, IsNull, LessThan } from 'typeorm';
import { RouteTable } from '../../auth/route-table.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import type { Secret } from '../../platform/crypto/secret.js';
import { AfterCommit } from '../../platform/database/after-commit.js';
import { ValidationError } from '../../web/http/validation.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import type { PageQuery } from '../../web/pagination/page.js';
import { NotFoundError } from '../../platform/problems/not-found.js';
import { defineProblem, ProblemError } from '../../platform/problems/problem.js';
import { RevocationsService } from '../../platform/revocations/revocations.service.js';
import { ApiKey } from './api-key.entity.js';
import { makeKey } from './api-key.format.js';
import type { KeyHolder } from './api-key.owners.js';
import type { CreateApiKey } from './api-keys.schemas.js';
import { NewKeys } from './new-keys.js';

/** Lineages of keys of one owner that work, each with two keys at most (ASVS 2.3.2). */
export const MAX_KEYS_PER_OWNER = 100;
const MAX_LIFETIME_YEARS = 10;

const TOO_MANY_API_KEYS = defineProblem({
  slug: 'too-many-api-keys',
  status: 409,
  title: 'Too many API keys',
  about:
    'An account may have only so many keys that work. Delete those that nobody uses: the list of the keys shows when each was last used.',
});

class TooManyApiKeysError extends ProblemError {
  constructor(limit: number) {
    super(TOO_MANY_API_KEYS, `There are ${limit} keys already. Delete one that is not used.`);
  }
}

export interface IssuedKey {
  readonly row: ApiKey;
  readonly key: Secret;
}

/**
 * The keys of an owner, such as a user or a service account: issue, list, revoke. What a request does with one is
 * ApiKeyVerifier's; ApiKeyNarrowing and ApiKeyRotation change one.
 */
@Injectable()
export class ApiKeysService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly routes: RouteTable,
    private readonly newKeys: NewKeys,
    private readonly revocations: RevocationsService,
    private readonly afterCommit: AfterCommit,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Issues a key that may do nothing that its maker may not. A command may make any.
   * @throws InsufficientScopeError
   * @throws RateLimitedError
   * @throws TooManyApiKeysError
   */
  async create(holder: KeyHolder, fields: CreateApiKey): Promise<IssuedKey> {
    const { ownerId, facts } = holder;
    this.newKeys.refuseWider(holder, fields.scopes);
    await this.newKeys.count(holder);
    const now = this.clock.now();
    checkExpiry(fields.expiresAt, now);
    this.checkResources(fields.resources);
    const { key, ...fresh } = makeKey(this.config.API_KEY_ENVIRONMENT);
    const row = this.dataSource.manager.create(ApiKey, {
      ...fresh,
      ownerId,
      name: fields.name,
      scopes: fields.scopes,
      resources: fields.resources ?? null,
      allowedCidrs: fields.allowedCidrs ?? null,
      rateLimitRequests: fields.rateLimit.requests,
      rateLimitWindowSeconds: fields.rateLimit.windowSeconds,
      createdAt: now,
      expiresAt: fields.expiresAt ?? null,
      rotatedTo: null,
      lastUsedAt: null,
      lastNetwork: null,
      revokedAt: null,
    });
    await this.dataSource.transaction(async (manager) => {
      await holder.hold(manager);
      if ((await this.#countLineages(manager, ownerId)) >= MAX_KEYS_PER_OWNER)
        throw new TooManyApiKeysError(MAX_KEYS_PER_OWNER);
      await manager.insert(ApiKey, row);
    });
    this.log.happened('api-key.created', { ...facts, credentialId: row.id, scopes: row.scopes });
    return { row, key };
  }

  /** The keys of an owner that are not revoked, newest first. */
  list(ownerId: string, page: PageQuery): Promise<ApiKey[]> {
    return this.dataSource.manager.find(ApiKey, {
      where: { ownerId, revokedAt: IsNull(), ...(page.after !== undefined && { id: LessThan(page.after) }) },
      order: { id: 'DESC' },
      take: page.limit + 1,
    });
  }

  /** @throws NotFoundError */
  async find(ownerId: string, id: string): Promise<ApiKey> {
    const key = await this.dataSource.manager.findOneBy(ApiKey, { id, ownerId, revokedAt: IsNull() });
    if (!key) throw new NotFoundError();
    return key;
  }

  /** Ends a key on every node: the next request that presents it is refused. @throws NotFoundError */
  async revoke(holder: KeyHolder, id: string): Promise<void> {
    const { ownerId, facts } = holder;
    await this.dataSource.transaction(async (manager) => {
      await holder.hold(manager);
      const live = { id, ownerId, revokedAt: IsNull() };
      const { affected } = await manager.update(ApiKey, live, { revokedAt: this.clock.now() });
      if (affected !== 1) throw new NotFoundError();
      await this.revocations.announce(manager, [{ kind: 'api-key', subject: id }]);
    });
    this.log.happened('api-key.revoked', { ...facts, credentialId: id });
  }

  /** Ends all keys of an owner, in the transaction of `manager`, which holds the row of the owner. */
  async revokeAll(manager: EntityManager, { ownerId, facts }: Omit<KeyHolder, 'hold'>): Promise<void> {
    const [rows]: [{ id: string }[]] = await manager.query(
      `UPDATE api_keys SET revoked_at = $2 WHERE owner_id = $1 AND revoked_at IS NULL RETURNING id`,
      [ownerId, this.clock.now()],
    );
    await this.revocations.announce(
      manager,
      rows.map(({ id }) => ({ kind: 'api-key', subject: id })),
    );
    this.afterCommit.run(manager, () => {
      for (const { id } of rows) this.log.happened('api-key.revoked', { ...facts, credentialId: id });
    });
  }

  /** Such a key would be refused wherever it is used, and nobody would know why. @throws ValidationError */
  checkResources(resources: readonly string[] = []): void {
    const kinds = this.routes.resourceKinds();
    const detail = `no route is about it, but about ${[...kinds].join(', ') || 'none'}`;
    const errors = resources.flatMap((resource, i) =>
      kinds.has(resource.split('/', 1)[0]!) ? [] : [{ pointer: `/resources/${i}`, detail }],
    );
    if (errors.length > 0) throw new ValidationError(errors);
  }

  /** By the lineage, so that whoever rotates a key needs no room for another one. */
  async #countLineages(manager: EntityManager, ownerId: string): Promise<number> {
    const [{ lineages }] = await manager.query(
      `SELECT count(DISTINCT lineage_id)::int AS lineages FROM api_keys
       WHERE owner_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)`,
      [ownerId, this.clock.now()],
    );
    return lineages;
  }
}

/** @throws ValidationError for a time that has passed, or is too far away */
export function checkExpiry(expiresAt: Date | undefined, now: Date): void {
  if (!expiresAt) return;
  const latest = new Date(now);
  latest.setUTCFullYear(now.getUTCFullYear() + MAX_LIFETIME_YEARS);
  if (expiresAt > now && expiresAt <= latest) return;
  const detail = `must be in the future, and within ${MAX_LIFETIME_YEARS} years`;
  throw new ValidationError([{ pointer: '/expiresAt', detail }]);
}
