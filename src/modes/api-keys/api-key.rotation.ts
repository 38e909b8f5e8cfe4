import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, IsNull } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { NotFoundError } from '../../platform/problems/not-found.js';
import { defineProblem, ProblemError } from '../../platform/problems/problem.js';
import { RevocationsService } from '../../platform/revocations/revocations.service.js';
import { ApiKey } from './api-key.entity.js';
import { makeKey } from './api-key.format.js';
import { type KeyHolder, NewKeys } from './api-key.owners.js';
import type { IssuedKey } from './api-keys.service.js';

const ROTATION_CONFLICT = defineProblem({
  slug: 'rotation-conflict',
  status: 409,
  title: 'Key cannot be rotated now',
  about:
    'At most two keys of a lineage work at the same time: a rotated key, until its overlap ends, and its successor. You can rotate only the newest key, only while it works, and only after its predecessor has expired or was deleted.',
});

class RotationConflictError extends ProblemError {
  constructor(detail: string) {
    super(ROTATION_CONFLICT, detail);
  }
}

/** The most by which clocks of nodes can differ. Without an overlap, the old key has expired on all of them. */
const CLOCKS_DIFFER_MS = 5_000;

/**
 * Replaces a key by a new one with the same scopes and limits. Both work until the overlap ends. The new key never
 * expires later than the old one.
 */
@Injectable()
export class ApiKeyRotation {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly newKeys: NewKeys,
    private readonly revocations: RevocationsService,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * @param overlapSeconds how long the old key still works, unless it expires or is deleted earlier
   * @throws NotFoundError
   * @throws InsufficientScopeError if the acting person lacks a scope of the key
   * @throws RateLimitedError
   * @throws RotationConflictError if a third key of the lineage would work, or if the key has expired
   */
  async rotate(holder: KeyHolder, id: string, overlapSeconds: number): Promise<IssuedKey> {
    const { ownerId, facts } = holder;
    await this.newKeys.count(holder);
    const { key, lineageId: _own, ...fresh } = makeKey(this.config.API_KEY_ENVIRONMENT);
    const row = await this.dataSource.transaction(async (manager) => {
      // Checked before the lock of the owner, which every transaction takes before the locks of keys.
      if (!(await manager.existsBy(ApiKey, { id, ownerId, revokedAt: IsNull() }))) throw new NotFoundError();
      await holder.hold(manager);
      const old = await this.#lock(manager, ownerId, id);
      this.newKeys.refuseWider(holder, old.scopes);
      const now = this.clock.now();
      await this.#refuseThird(manager, old, now);
      const successor = manager.create(ApiKey, old);
      Object.assign(successor, fresh, {
        createdAt: now,
        expiresAt: await this.#endOfLineage(manager, old, now),
        rotatedTo: null,
        lastUsedAt: null,
        lastNetwork: null,
      });
      await manager.insert(ApiKey, successor);
      const overlapMs = overlapSeconds > 0 ? overlapSeconds * 1000 : -CLOCKS_DIFFER_MS;
      const ending = new Date(now.getTime() + overlapMs);
      const expiresAt = old.expiresAt && old.expiresAt < ending ? old.expiresAt : ending;
      await manager.update(ApiKey, { id }, { rotatedTo: successor.id, expiresAt });
      // Cached rows of the old key have the earlier expiry, and its tokens can live longer than the key.
      await this.revocations.announce(manager, [{ kind: 'api-key', subject: id }]);
      await this.log.record(manager, 'api-key.rotated', {
        ...facts,
        credentialId: id,
        rotatedTo: successor.id,
      });
      return successor;
    });
    return { row, key };
  }

  async #lock(manager: EntityManager, ownerId: string, id: string): Promise<ApiKey> {
    const where = { id, ownerId, revokedAt: IsNull() };
    const key = await manager.findOne(ApiKey, { where, lock: { mode: 'for_no_key_update' } });
    if (!key) throw new NotFoundError();
    return key;
  }

  /**
   * Returns the expiry of the new key. The expiry of a rotated key is the end of its overlap, and its successor has the
   * original expiry. Such a key can be rotated again only if the successor was revoked, for example after a lost answer.
   */
  async #endOfLineage(manager: EntityManager, old: ApiKey, now: Date): Promise<Date | null> {
    if (old.rotatedTo === null) return old.expiresAt;
    const { id, revokedAt, expiresAt } = await manager.findOneByOrFail(ApiKey, { id: old.rotatedTo });
    if (revokedAt === null) throw new RotationConflictError(`The key was already rotated to ${id}.`);
    if (expiresAt && expiresAt <= now) throw new RotationConflictError('The lineage of the key has expired.');
    return expiresAt;
  }

  /** Needs no lock of the predecessor: a key that has stopped working never works again. */
  async #refuseThird(manager: EntityManager, old: ApiKey, now: Date): Promise<void> {
    if (old.expiresAt && old.expiresAt <= now) throw new RotationConflictError('The key has expired.');
    const before = await manager.findOneBy(ApiKey, { rotatedTo: old.id, revokedAt: IsNull() });
    if (before && (before.expiresAt === null || before.expiresAt > now))
      throw new RotationConflictError(
        'The predecessor of the key still works. Delete it, or wait until its overlap ends.',
      );
  }
}
