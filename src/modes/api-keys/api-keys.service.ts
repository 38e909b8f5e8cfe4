import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, IsNull, LessThan, MoreThan, Or } from 'typeorm';
import { RouteTable } from '../../auth/route-table.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import type { Secret } from '../../platform/crypto/secret.js';
import { ValidationError } from '../../web/http/validation.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import type { PageQuery } from '../../web/pagination/page.js';
import { NotFoundError } from '../../platform/problems/not-found.js';
import { defineProblem, ProblemError } from '../../platform/problems/problem.js';
import { RevocationsService } from '../../platform/revocations/revocations.service.js';
import { ApiKey } from './api-key.entity.js';
import { makeKey } from './api-key.format.js';
import { type KeyHolder, NewKeys } from './api-key.owners.js';
import type { CreateApiKey } from './api-keys.schemas.js';

/** Lineages with working keys per owner; each has at most two working keys (ASVS 2.3.2). */
export const MAX_KEYS_PER_OWNER = 100;
const MAX_LIFETIME_YEARS = 10;

const TOO_MANY_API_KEYS = defineProblem({
  slug: 'too-many-api-keys',
  status: 409,
  title: 'Too many API keys',
  about:
    'The number of working keys of an account is limited. Delete unused keys: the list of keys shows when each key was last used.',
});

class TooManyApiKeysError extends ProblemError {
  constructor(limit: number) {
    super(TOO_MANY_API_KEYS, `The account already has ${limit} keys. Delete an unused one.`);
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
    private readonly clock: Clock,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Issues a key. Its scopes must be scopes of the acting person. A command can issue any key.
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
      await this.log.record(manager, 'api-key.created', {
        ...facts,
        credentialId: row.id,
        scopes: row.scopes,
      });
    });
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

  /** The keys of an owner that work, newest first. */
  working(manager: EntityManager, ownerId: string): Promise<ApiKey[]> {
    const isLater = Or(IsNull(), MoreThan(this.clock.now()));
    return manager.find(ApiKey, {
      where: { ownerId, revokedAt: IsNull(), expiresAt: isLater },
      order: { id: 'DESC' },
    });
  }

  /** @throws NotFoundError */
  async find(ownerId: string, id: string): Promise<ApiKey> {
    const key = await this.dataSource.manager.findOneBy(ApiKey, { id, ownerId, revokedAt: IsNull() });
    if (!key) throw new NotFoundError();
    return key;
  }

  /** Revokes a key on every node. @throws NotFoundError */
  async revoke(holder: KeyHolder, id: string): Promise<void> {
    const { ownerId, facts } = holder;
    await this.dataSource.transaction(async (manager) => {
      await holder.hold(manager);
      const live = { id, ownerId, revokedAt: IsNull() };
      const { affected } = await manager.update(ApiKey, live, { revokedAt: this.clock.now() });
      if (affected !== 1) throw new NotFoundError();
      await this.revocations.announce(manager, [{ kind: 'api-key', subject: id }]);
      await this.log.record(manager, 'api-key.revoked', { ...facts, credentialId: id });
    });
  }

  /** Revokes all keys of an owner. The transaction of `manager` must hold the lock of the owner's row. */
  async revokeAll(manager: EntityManager, { ownerId, facts }: Omit<KeyHolder, 'hold'>): Promise<void> {
    const [rows]: [{ id: string }[]] = await manager.query(
      `UPDATE api_keys SET revoked_at = $2 WHERE owner_id = $1 AND revoked_at IS NULL RETURNING id`,
      [ownerId, this.clock.now()],
    );
    await this.revocations.announce(
      manager,
      rows.map(({ id }) => ({ kind: 'api-key', subject: id })),
    );
    for (const { id } of rows)
      await this.log.record(manager, 'api-key.revoked', { ...facts, credentialId: id });
  }

  /** Refuses resources that no route uses, because every route would refuse such a key. @throws ValidationError */
  checkResources(resources: readonly string[] = []): void {
    const kinds = this.routes.resourceKinds();
    const detail = `must be of a kind that a route uses: ${[...kinds].join(', ') || 'none'}`;
    const errors = resources.flatMap((resource, i) =>
      kinds.has(resource.split('/', 1)[0]!) ? [] : [{ pointer: `/resources/${i}`, detail }],
    );
    if (errors.length > 0) throw new ValidationError(errors);
  }

  /** Counts lineages and not keys, so that a key can be rotated at the limit. */
  async #countLineages(manager: EntityManager, ownerId: string): Promise<number> {
    const [{ lineages }] = await manager.query(
      `SELECT count(DISTINCT lineage_id)::int AS lineages FROM api_keys
       WHERE owner_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)`,
      [ownerId, this.clock.now()],
    );
    return lineages;
  }
}

/** @throws ValidationError if the time is in the past or too far in the future */
export function checkExpiry(expiresAt: Date | undefined, now: Date): void {
  if (!expiresAt) return;
  const latest = new Date(now);
  latest.setUTCFullYear(now.getUTCFullYear() + MAX_LIFETIME_YEARS);
  if (expiresAt > now && expiresAt <= latest) return;
  const detail = `must be in the future and within ${MAX_LIFETIME_YEARS} years`;
  throw new ValidationError([{ pointer: '/expiresAt', detail }]);
}
