import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, IsNull, LessThan, MoreThan } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { InsufficientScopeError, InvalidCredentialError } from '../auth/auth.errors.js';
import type { Principal } from '../auth/principal.js';
import { Clock } from '../clock/clock.js';
import { CONFIG, type Config } from '../config/config.js';
import type { Secret } from '../crypto/secret.js';
import { type FieldError, ValidationError } from '../http/validation.js';
import { SecurityLog } from '../logging/security-log.js';
import type { PageQuery } from '../pagination/page.js';
import { NotFoundError } from '../problems/not-found.js';
import { RevocationsService } from '../revocations/revocations.service.js';
import { SignInsService } from '../sign-ins/sign-ins.service.js';
import { ApiKey } from './api-key.entity.js';
import { generateKey } from './api-key.format.js';
import { TooManyApiKeysError } from './api-keys.errors.js';
import type { CreateApiKey, NarrowApiKey } from './api-keys.schemas.js';

/** Keys of one user that work (ASVS 2.3.2). */
export const MAX_KEYS_PER_USER = 100;
const MAX_LIFETIME_YEARS = 10;

export interface IssuedKey {
  readonly row: ApiKey;
  readonly key: Secret;
}

/** The keys of a user: issue, list, narrow, revoke. What a request does with one is ApiKeyVerifier's. */
@Injectable()
export class ApiKeysService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly signIns: SignInsService,
    private readonly revocations: RevocationsService,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Issues a key that may do nothing that its maker may not. */
  async create(principal: Principal, fields: CreateApiKey): Promise<IssuedKey> {
    const missing = principal.missing(fields.scopes);
    if (missing.length > 0) {
      this.log.refused('api-key.creation-refused', { reason: `missing ${missing.join(' ')}` }, principal);
      throw new InsufficientScopeError(missing);
    }
    return this.issue(principal.userId, fields, principal.signInId);
  }

  /** Issues a key on the word of the caller: for whoever has no principal, such as the command line. */
  async issue(userId: string, fields: CreateApiKey, signInId?: string): Promise<IssuedKey> {
    checkExpiry(fields.expiresAt, this.clock.now());
    const { key, prefix, last4 } = generateKey(this.config.KEY_ENVIRONMENT);
    const row = this.dataSource.manager.create(ApiKey, {
      id: uuidv7(),
      userId,
      name: fields.name,
      prefix,
      last4,
      keyHash: key.hash(),
      scopes: fields.scopes,
      revision: 1,
      createdAt: this.clock.now(),
      expiresAt: fields.expiresAt ?? null,
      lastUsedAt: null,
      revokedAt: null,
    });
    await this.dataSource.transaction(async (manager) => {
      await this.#holdOwner(manager, userId);
      // Ended while the request was under way, by a new password say: what it asked for must not outlive it.
      if (signInId !== undefined && !(await this.signIns.isAlive(manager, signInId)))
        throw new InvalidCredentialError('sign-in ended meanwhile');
      if ((await this.#countLive(manager, userId)) >= MAX_KEYS_PER_USER)
        throw new TooManyApiKeysError(MAX_KEYS_PER_USER);
      await manager.insert(ApiKey, row);
    });
    this.log.happened('api-key.created', { userId, credentialId: row.id, scopes: row.scopes });
    return { row, key };
  }

  /** The keys of a user that are not revoked, newest first. */
  list(userId: string, page: PageQuery): Promise<ApiKey[]> {
    return this.dataSource.manager.find(ApiKey, {
      where: { userId, revokedAt: IsNull(), ...(page.after !== undefined && { id: LessThan(page.after) }) },
      order: { id: 'DESC' },
      take: page.limit + 1,
    });
  }

  /** @throws NotFoundError */
  async find(userId: string, id: string): Promise<ApiKey> {
    const key = await this.dataSource.manager.findOneBy(ApiKey, { id, userId, revokedAt: IsNull() });
    if (!key) throw new NotFoundError();
    return key;
  }

  /** Renames a key, or takes some of what it may do. What is narrower is decided in the statement, so no race widens. */
  async narrow(userId: string, id: string, changes: NarrowApiKey): Promise<ApiKey> {
    const { name = null, scopes = null, expiresAt = null } = changes;
    checkExpiry(changes.expiresAt, this.clock.now());
    const narrowed = await this.dataSource.transaction(async (manager) => {
      const [rows]: [unknown[]] = await manager.query(
        `UPDATE api_keys SET name = coalesce($3, name), scopes = coalesce($4, scopes), expires_at = coalesce($5, expires_at),
           revision = revision + (NOT scopes <@ coalesce($4, scopes) OR expires_at IS DISTINCT FROM coalesce($5, expires_at))::int
         WHERE id = $2 AND user_id = $1 AND revoked_at IS NULL
           AND ($4::text[] IS NULL OR $4 <@ scopes)
           AND ($5::timestamptz IS NULL OR expires_at IS NULL OR $5 <= expires_at)
         RETURNING id`,
        [userId, id, name, scopes, expiresAt],
      );
      if (rows.length > 0) await this.revocations.announce(manager, [{ kind: 'api-key', subject: id }]);
      return rows.length > 0;
    });
    const key = await this.find(userId, id);
    if (!narrowed) throw new ValidationError(widenings(key, changes));
    if (scopes || expiresAt)
      this.log.happened('api-key.narrowed', { userId, credentialId: id, scopes: key.scopes });
    return key;
  }

  /** Ends a key on every node: the next request that presents it is refused. @throws NotFoundError */
  async revoke(userId: string, id: string): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const live = { id, userId, revokedAt: IsNull() };
      const { affected } = await manager.update(ApiKey, live, { revokedAt: this.clock.now() });
      if (affected !== 1) throw new NotFoundError();
      await this.revocations.announce(manager, [{ kind: 'api-key', subject: id }]);
    });
    this.log.happened('api-key.revoked', { userId, credentialId: id });
  }

  /** Holds the owner's row, so that the count that follows is still true when the key is there. */
  async #holdOwner(manager: EntityManager, userId: string): Promise<void> {
    const rows: unknown[] = await manager.query(
      `SELECT 1 FROM users WHERE id = $1 AND status = 'active' FOR NO KEY UPDATE`,
      [userId],
    );
    if (rows.length === 0) throw new InvalidCredentialError('owner disabled or deleted');
  }

  #countLive(manager: EntityManager, userId: string): Promise<number> {
    const live = { userId, revokedAt: IsNull() };
    return manager.countBy(ApiKey, [
      { ...live, expiresAt: IsNull() },
      { ...live, expiresAt: MoreThan(this.clock.now()) },
    ]);
  }
}

function checkExpiry(expiresAt: Date | undefined, now: Date): void {
  if (!expiresAt) return;
  const latest = new Date(now);
  latest.setUTCFullYear(now.getUTCFullYear() + MAX_LIFETIME_YEARS);
  if (expiresAt > now && expiresAt <= latest) return;
  const detail = `must be in the future, and within ${MAX_LIFETIME_YEARS} years`;
  throw new ValidationError([{ pointer: '/expiresAt', detail }]);
}

/** Why a key refused to change: since keys only ever get narrower, what was too wide then still is. */
function widenings(key: ApiKey, { scopes = [], expiresAt }: NarrowApiKey): FieldError[] {
  const errors: FieldError[] = [];
  if (scopes.some((scope) => !key.scopes.includes(scope)))
    errors.push({ pointer: '/scopes', detail: 'has a scope that the key lacks: a key can only be narrowed' });
  if (expiresAt && key.expiresAt && expiresAt > key.expiresAt)
    errors.push({ pointer: '/expiresAt', detail: 'is later than now set: a key can only be narrowed' });
  return errors;
}
