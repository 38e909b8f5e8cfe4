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
import type { KeyHolder } from './api-key.owners.js';
import type { IssuedKey } from './api-keys.service.js';
import { NewKeys } from './new-keys.js';

const ROTATION_CONFLICT = defineProblem({
  slug: 'rotation-conflict',
  status: 409,
  title: 'The key cannot be rotated now',
  about:
    'At most two keys of one lineage work at the same time: the one that was rotated, until its overlap ends, and its successor. Only the newest can be rotated, once the one before it has expired or is deleted, and only while it works.',
});

class RotationConflictError extends ProblemError {
  constructor(detail: string) {
    super(ROTATION_CONFLICT, detail);
  }
}

/**
 * Replaces a key by a new one that may do the same, with an overlap in which both work. Never by a wider one, and never
 * by one that lives longer.
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
   * @param overlapSeconds for how long the old key goes on, if it does not expire or is not deleted before
   * @throws NotFoundError
   * @throws InsufficientScopeError for who does not hold all that the key holds
   * @throws RateLimitedError
   * @throws RotationConflictError where a third key of the lineage would work, or this one works no more
   */
  async rotate(holder: KeyHolder, id: string, overlapSeconds: number): Promise<IssuedKey> {
    const { ownerId, facts } = holder;
    await this.newKeys.count(holder);
    const { key, lineageId: _own, ...fresh } = makeKey(this.config.API_KEY_ENVIRONMENT);
    const row = await this.dataSource.transaction(async (manager) => {
      // Before the owner's row is held, which comes before those of its keys everywhere.
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
      const ending = new Date(now.getTime() + overlapSeconds * 1000);
      const expiresAt = old.expiresAt && old.expiresAt < ending ? old.expiresAt : ending;
      await manager.update(ApiKey, { id }, { rotatedTo: successor.id, expiresAt });
      // What is remembered of the old key lives too long now, and so may the tokens that were exchanged for it.
      await this.revocations.announce(manager, [{ kind: 'api-key', subject: id }]);
      return successor;
    });
    this.log.happened('api-key.rotated', { ...facts, credentialId: id, rotatedTo: row.id });
    return { row, key };
  }

  async #lock(manager: EntityManager, ownerId: string, id: string): Promise<ApiKey> {
    const where = { id, ownerId, revokedAt: IsNull() };
    const key = await manager.findOne(ApiKey, { where, lock: { mode: 'for_no_key_update' } });
    if (!key) throw new NotFoundError();
    return key;
  }

  /**
   * Until when the lineage may go on. A key that was rotated has the end of its overlap for an expiry; its successor, which
   * has to be revoked by now (its answer was lost, or it leaked), took over the one from before.
   */
  async #endOfLineage(manager: EntityManager, old: ApiKey, now: Date): Promise<Date | null> {
    if (old.rotatedTo === null) return old.expiresAt;
    const { id, revokedAt, expiresAt } = await manager.findOneByOrFail(ApiKey, { id: old.rotatedTo });
    if (revokedAt === null) throw new RotationConflictError(`The key has been rotated already, to ${id}.`);
    if (expiresAt && expiresAt <= now) throw new RotationConflictError('The lineage of keys has expired.');
    return expiresAt;
  }

  /** Keys can only die, never live again: what is seen here of others without their locks stays true. */
  async #refuseThird(manager: EntityManager, old: ApiKey, now: Date): Promise<void> {
    if (old.expiresAt && old.expiresAt <= now) throw new RotationConflictError('The key has expired.');
    const before = await manager.findOneBy(ApiKey, { rotatedTo: old.id, revokedAt: IsNull() });
    if (before && (before.expiresAt === null || before.expiresAt > now))
      throw new RotationConflictError(
        'The key before this one still works. Delete it, or wait until its overlap is over.',
      );
  }
}
