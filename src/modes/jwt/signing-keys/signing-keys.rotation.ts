import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, In, Not } from 'typeorm';
import type { Principal } from '../../../auth/principal.js';
import { Clock } from '../../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../../platform/config/config.js';
import { affected } from '../../../platform/housekeeping/affected.js';
import { SecurityLog } from '../../../platform/logging/security-log.js';
import { NotFoundError } from '../../../platform/problems/not-found.js';
import { RevocationsService } from '../../../platform/revocations/revocations.service.js';
import { ActingSignIn } from '../../../accounts/sign-ins/acting-sign-in.js';
import { SigningKey } from './signing-key.entity.js';
import { RETIRED_KEPT_MS } from './signing-keys.service.js';
import { fillKeys, KEYS_CHANGED, lockKeys } from './signing-keys.table.js';

/** How long clients can cache the JWKS. A next key is published for much longer before it signs. */
export const JWKS_MAX_AGE_SECONDS = 300;

/** An RFC 7638 thumbprint by SHA-256. */
const KID = /^[\w-]{43}$/;

/** Changes the signing keys. Each change is one transaction, which also announces it. Changes run one after the other. */
@Injectable()
export class SigningKeyRotation {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly acting: ActingSignIn,
    private readonly revocations: RevocationsService,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** All keys whose tokens can be alive, newest first. */
  list(): Promise<SigningKey[]> {
    return this.dataSource.manager.find(SigningKey, { order: { createdAt: 'DESC', kid: 'ASC' } });
  }

  /**
   * Makes the next key active and retires the old active one. Returns the new active kid. After two rotations within
   * JWKS_MAX_AGE_SECONDS, a cached JWKS can lack the active key: clients must fetch it again for an unknown kid (OpenID
   * Connect Core section 10.1.1).
   * @param by undefined for the command line
   */
  async rotate(by?: Principal): Promise<string> {
    return this.dataSource.transaction(async (manager) => {
      await this.#lock(manager, by);
      return this.#rotate(manager, by?.userId ?? 'command');
    });
  }

  /**
   * Rotates by the schedule. A next key is created when the active key starts to sign, so its age is the time that the
   * active key has been in use.
   */
  async rotateIfDue(now: Date, manager: EntityManager): Promise<number> {
    await lockKeys(manager);
    const next = await this.#next(manager);
    const due = next && now.getTime() - next.createdAt.getTime() >= this.config.SIGNING_KEY_ROTATION;
    if (!due) return 0;
    await this.#rotate(manager, 'schedule');
    return 1;
  }

  /**
   * Revokes a key and all tokens that it signed, on all nodes. If the key was active, the next key becomes active.
   * @throws NotFoundError
   */
  async revoke(kid: string, by: Principal): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await this.#lock(manager, by);
      const key = KID.test(kid) ? await manager.findOneBy(SigningKey, { kid }) : null;
      if (!key) throw new NotFoundError('There is no such signing key.');
      await manager.delete(SigningKey, { kid });
      await this.#fill(manager);
      await this.revocations.announce(manager, [{ kind: 'signing-key', subject: kid }]);
      await this.log.record(manager, 'signing-key.revoked', { kid, status: key.status, by: by.userId });
    });
  }

  /**
   * Deletes all keys and creates new ones. So no JWT from before is valid, not even one that this database does not know.
   * Returns the number of deleted keys.
   */
  async replaceAll(manager: EntityManager): Promise<number> {
    await lockKeys(manager);
    const deleted = await affected(manager, 'DELETE FROM signing_keys', []);
    await this.#fill(manager);
    await this.revocations.announce(manager, [KEYS_CHANGED]);
    return deleted;
  }

  /** Deletes retired keys whose tokens have all expired. */
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

  /** After a change of JWT_ALGORITHM, the keys of the other algorithm retire too. */
  async #rotate(manager: EntityManager, by: string): Promise<string> {
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
    await this.log.record(manager, 'signing-key.rotated', { active: kid, retired, by });
    return kid;
  }

  #fill(manager: EntityManager): Promise<boolean> {
    const { JWT_ALGORITHM: algorithm, ENCRYPTION_SECRETS } = this.config;
    return fillKeys(manager, { algorithm, secret: ENCRYPTION_SECRETS[0]!, now: this.clock.now() });
  }

  #next(manager: EntityManager): Promise<SigningKey | null> {
    return manager.findOneBy(SigningKey, { status: 'next', algorithm: this.config.JWT_ALGORITHM });
  }
}
