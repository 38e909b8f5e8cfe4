import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { type FieldError, ValidationError } from '../../web/http/validation.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { RateLimiter } from '../../platform/rate-limits/rate-limiter.js';
import { RevocationsService } from '../../platform/revocations/revocations.service.js';
import { ApiKey } from './api-key.entity.js';
import type { KeyHolder } from './api-key.owners.js';
import type { NarrowApiKey } from './api-keys.schemas.js';
import { ApiKeysService, checkExpiry } from './api-keys.service.js';

const RENAMES = { requests: 60, windowSeconds: 60 };

/** In SQL: whether each network of `narrower` is within a network of `wider`. */
const ALL_WITHIN = (narrower: string, wider: string) =>
  `NOT EXISTS (SELECT FROM unnest(${narrower}) n WHERE NOT EXISTS (SELECT FROM unnest(${wider}) w WHERE n <<= w))`;

const NARROW = `
  UPDATE api_keys SET name = coalesce($3, name), scopes = coalesce($4, scopes), expires_at = coalesce($5, expires_at),
    resources = coalesce($6, resources), allowed_cidrs = coalesce($7, allowed_cidrs),
    revision = revision + (NOT scopes <@ coalesce($4, scopes)
      OR expires_at IS DISTINCT FROM coalesce($5, expires_at)
      OR resources IS DISTINCT FROM coalesce($6, resources)
      OR allowed_cidrs IS DISTINCT FROM coalesce($7, allowed_cidrs))::int
  WHERE id = $2 AND owner_id = $1 AND revoked_at IS NULL
    AND ($4::text[] IS NULL OR $4 <@ scopes)
    AND ($5::timestamptz IS NULL OR expires_at IS NULL OR $5 <= expires_at)
    AND ($6::text[] IS NULL OR resources IS NULL OR $6 <@ resources)
    AND ($7::cidr[] IS NULL OR allowed_cidrs IS NULL OR ${ALL_WITHIN('$7', 'allowed_cidrs')})
  RETURNING scopes`;

/** Renames and narrows keys. A key is never widened. */
@Injectable()
export class ApiKeyNarrowing {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly keys: ApiKeysService,
    private readonly revocations: RevocationsService,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
    private readonly limiter: RateLimiter,
  ) {}

  /**
   * Renames or narrows a key. The UPDATE itself compares old and new values, so a race cannot widen the key.
   * @throws NotFoundError
   * @throws ValidationError if a change would widen the key
   * @throws RateLimitedError for renames, never for narrowing
   */
  async narrow(holder: KeyHolder, id: string, changes: NarrowApiKey): Promise<ApiKey> {
    const { ownerId, facts } = holder;
    const { name = null, scopes = null, expiresAt = null, resources = null, allowedCidrs = null } = changes;
    const narrows = Boolean(scopes || expiresAt || resources || allowedCidrs);
    if (!narrows) await this.limiter.consume('api-key-renames', ownerId, RENAMES);
    checkExpiry(changes.expiresAt, this.clock.now());
    this.keys.checkResources(changes.resources);
    const narrowed = await this.dataSource.transaction(async (manager) => {
      await holder.hold(manager);
      const [[row]]: [{ scopes: string[] }[]] = await manager.query(NARROW, [
        ownerId,
        id,
        name,
        scopes,
        expiresAt,
        resources,
        allowedCidrs,
      ]);
      // No node remembers the name.
      if (row && narrows) {
        await this.revocations.announce(manager, [{ kind: 'api-key', subject: id }]);
        await this.log.record(manager, 'api-key.narrowed', {
          ...facts,
          credentialId: id,
          scopes: row.scopes,
        });
      }
      return row !== undefined;
    });
    const key = await this.keys.find(ownerId, id);
    if (!narrowed) throw new ValidationError(await this.#widenings(key, changes));
    return key;
  }

  /** Returns the refused changes. Keys only get narrower, so a change that was refused is still too wide. */
  async #widenings(key: ApiKey, changes: NarrowApiKey): Promise<FieldError[]> {
    const { scopes = [], resources = [], allowedCidrs = [], expiresAt } = changes;
    const errors: FieldError[] = [];
    const refuse = (pointer: string, what: string) =>
      errors.push({ pointer, detail: `${what}, because a key can only be narrowed` });
    if (scopes.some((scope) => !key.scopes.includes(scope)))
      refuse('/scopes', 'must contain only scopes of the key');
    if (key.resources && resources.some((resource) => !key.resources!.includes(resource)))
      refuse('/resources', 'must contain only resources of the key');
    if (key.allowedCidrs && !(await this.#within(allowedCidrs, key.allowedCidrs)))
      refuse('/allowedCidrs', 'must be within the allowed networks of the key');
    if (expiresAt && key.expiresAt && expiresAt > key.expiresAt)
      refuse('/expiresAt', 'must not be later than the current expiry');
    return errors;
  }

  async #within(narrower: readonly string[], wider: readonly string[]): Promise<boolean> {
    const [{ within }] = await this.dataSource.query(
      `SELECT ${ALL_WITHIN('$1::cidr[]', '$2::cidr[]')} AS within`,
      [narrower, wider],
    );
    return within;
  }
}
