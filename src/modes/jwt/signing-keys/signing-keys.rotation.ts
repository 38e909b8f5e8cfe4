import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, In, Not } from 'typeorm';
import type { Principal } from '../../../auth/principal.js';
import { Clock } from '../../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../../platform/config/config.js';
import { AfterCommit } from '../../../platform/database/after-commit.js';
import { affected } from '../../../platform/housekeeping/affected.js';
import { SecurityLog } from '../../../platform/logging/security-log.js';
import { NotFoundError } from '../../../platform/problems/not-found.js';
import { RevocationsService } from '../../../platform/revocations/revocations.service.js';
import { ActingSignIn } from '../../../accounts/sign-ins/acting-sign-in.js';
import { SigningKey } from './signing-key.entity.js';
import { RETIRED_KEPT_MS } from './signing-keys.service.js';
import { fillKeys, KEYS_CHANGED, lockKeys } from './signing-keys.table.js';

/** For how long others may keep the JWKS. A next key is in it for much longer before it signs. */
export const JWKS_MAX_AGE_SECONDS = 300;

/** What a kid looks like: an RFC 7638 thumbprint by SHA-256. */
const KID = /^[\w-]{43}$/;

interface Rotation {
  readonly active: string;
  readonly retired: readonly string[];
}

/** Changes the signing keys, each change in one transaction, announced in it, one at a time over all nodes. */
@Injectable()
export class SigningKeyRotation {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly acting: ActingSignIn,
    private readonly revocations: RevocationsService,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
    private readonly afterCommit: AfterCommit,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Every key whose tokens may be alive, newest first. */
  list(): Promise<SigningKey[]> {
    return this.dataSource.manager.find(SigningKey, { order: { createdAt: 'DESC', kid: 'ASC' } });
  }

  /**
   * The next key signs, the one before retires. Returns the kid that signs now. A service that keeps the JWKS may not
   * have the key of a second rotation within JWKS_MAX_AGE_SECONDS: it asks again for a kid that it does not know
   * (OpenID Connect Core 10.1.1).
   * @param by undefined for the command line
   */
  async rotate(by?: Principal): Promise<string> {
    const rotation = await this.dataSource.transaction(async (manager) => {
      await this.#lock(manager, by);
      return this.#rotate(manager);
    });
    this.log.happened('signing-key.rotated', { ...rotation, by: by?.userId ?? 'command' });
    return rotation.active;
  }

  /**
   * By the schedule. A next key is made in the moment in which the active one begins to sign, so its age tells for how
   * long that has been.
   */
  async rotateIfDue(now: Date, manager: EntityManager): Promise<number> {
    await lockKeys(manager);
    const next = await this.#next(manager);
    const due = next && now.getTime() - next.createdAt.getTime() >= this.config.SIGNING_KEY_ROTATION;
    if (!due) return 0;
    const rotation = await this.#rotate(manager);
    this.afterCommit.run(manager, () =>
      this.log.happened('signing-key.rotated', { ...rotation, by: 'schedule' }),
    );
    return 1;
  }

  /**
   * Ends a key and all tokens that it signed, at once and everywhere. If it was the one that signs, the next takes over.
   * @throws NotFoundError
   */
  async revoke(kid: string, by: Principal): Promise<void> {
    const revoked = await this.dataSource.transaction(async (manager) => {
      await this.#lock(manager, by);
      const key = KID.test(kid) ? await manager.findOneBy(SigningKey, { kid }) : null;
      if (!key) throw new NotFoundError('There is no such signing key.');
      await manager.delete(SigningKey, { kid });
      await this.#fill(manager);
      await this.revocations.announce(manager, [{ kind: 'signing-key', subject: kid }]);
      return key;
    });
    this.log.happened('signing-key.revoked', { kid, status: revoked.status, by: by.userId });
  }

  /** Retired keys that no living token names. */
  deleteForgotten(now: Date, limit: number, manager: EntityManager): Promise<number> {
    return affected(
      manager,
      `DELETE FROM signing_keys WHERE kid IN
         (SELECT kid FROM signing_keys WHERE status = 'retired' AND retired_at <= $1 LIMIT $2)`,
      [new Date(now.getTime() - RETIRED_KEPT_MS), limit],
    );
  }

  async #lock(manager: EntityManager, by: Principal | undefined): Promise<void> {
    if (by) await this.acting.lock(manager, by, ['admin:signing-keys']);
    await lockKeys(manager);
  }

  /** Those of the other algorithm retire too: JWT_ALGORITHM was changed. */
  async #rotate(manager: EntityManager): Promise<Rotation> {
    const { JWT_ALGORITHM: algorithm } = this.config;
    const over = await manager.find(SigningKey, {
      where: [{ status: 'active' }, { status: 'next', algorithm: Not(algorithm) }],
    });
    const retired = over.map(({ kid }) => kid);
    await manager.update(
      SigningKey,
      { kid: In(retired) },
      { status: 'retired', retiredAt: this.clock.now() },
    );
    await this.#fill(manager);
    await this.revocations.announce(manager, [KEYS_CHANGED]);
    const { kid } = await manager.findOneByOrFail(SigningKey, { status: 'active', algorithm });
    return { active: kid, retired };
  }

  #fill(manager: EntityManager): Promise<boolean> {
    const { JWT_ALGORITHM: algorithm, ENCRYPTION_SECRETS } = this.config;
    return fillKeys(manager, { algorithm, secret: ENCRYPTION_SECRETS[0]!, now: this.clock.now() });
  }

  #next(manager: EntityManager): Promise<SigningKey | null> {
    return manager.findOneBy(SigningKey, { status: 'next', algorithm: this.config.JWT_ALGORITHM });
  }
}
