import { Inject, Injectable } from '@nestjs/common';
import { Secret as TotpKey, TOTP } from 'otpauth';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, IsNull, Not } from 'typeorm';
import { renderSVG } from 'uqr';
import { defineCredentialKind } from '../../auth/credential-kinds.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import '../../platform/crypto/encryption-secrets.js';
import { seal, unseal } from '../../platform/crypto/sealing.js';
import { affected } from '../../platform/housekeeping/affected.js';
import type { User } from '../../accounts/users/user.entity.js';
import { TotpFactor } from './mfa.entity.js';
import { TotpEnrolledError } from './mfa.errors.js';
import { TotpCode } from './mfa.schemas.js';

const PURPOSE = 'totp-secret';
/** 160 bits, as RFC 4226 recommends. */
const KEY_BYTES = 20;
/** Accepts one step before and one step after, because clocks differ and people type slowly (RFC 6238 5.2). */
const WINDOW = 1;

/** Codes of authenticator apps (RFC 6238) with SHA-1, 6 digits and 30 seconds, which every app supports. */
@Injectable()
export class TotpService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Creates a secret. It replaces an earlier one that was never activated. @throws TotpEnrolledError */
  async begin(manager: EntityManager, { id, email }: Pick<User, 'id' | 'email'>) {
    const secret = new TotpKey({ size: KEY_BYTES }).base32;
    const stored: unknown[] = await manager.query(
      `INSERT INTO totp_factors (user_id, secret_sealed, created_at) VALUES ($1, $2, $3)
       ON CONFLICT (user_id) DO UPDATE SET secret_sealed = $2, created_at = $3
       WHERE totp_factors.activated_at IS NULL RETURNING user_id`,
      [id, this.#seal(secret, id), this.clock.now()],
    );
    if (stored.length === 0) throw new TotpEnrolledError();
    const otpauthUri = totpOf(secret, new URL(this.config.ISSUER).host, email).toString();
    return { secret, otpauthUri, qrSvg: renderSVG(otpauthUri) };
  }

  /** Activates the secret with a first code. Returns why the code is refused, or undefined. */
  async activate(manager: EntityManager, userId: string, code: string): Promise<string | undefined> {
    const factor = await manager.findOneBy(TotpFactor, { userId, activatedAt: IsNull() });
    if (!factor) return 'no secret to activate';
    const step = this.#stepOf(factor, code);
    if (step === undefined) return 'wrong code';
    await manager.update(TotpFactor, { userId }, { activatedAt: this.clock.now(), lastStep: `${step}` });
    return undefined;
  }

  /** Uses a code up: one statement, so that a code works once. Returns why it is refused, or undefined. */
  async use(manager: EntityManager, userId: string, code: string): Promise<string | undefined> {
    const factor = await manager.findOneBy(TotpFactor, { userId, activatedAt: Not(IsNull()) });
    if (!factor) return 'no authenticator app';
    const step = this.#stepOf(factor, code);
    if (step === undefined) return 'wrong code';
    const used = await affected(
      manager,
      'UPDATE totp_factors SET last_step = $2 WHERE user_id = $1 AND last_step < $2',
      [userId, step],
    );
    return used === 1 ? undefined : 'code used before';
  }

  /** Returns false if there is none. */
  async remove(manager: EntityManager, userId: string): Promise<boolean> {
    const { affected: removed } = await manager.delete(TotpFactor, {
      userId,
      activatedAt: Not(IsNull()),
    });
    return removed === 1;
  }

  /** Seals all secrets with the first of ENCRYPTION_SECRETS, so that the others can be dropped. All or none. */
  async reencrypt(): Promise<number> {
    return this.dataSource.transaction(async (manager) => {
      const factors = await manager.find(TotpFactor, { lock: { mode: 'pessimistic_write' } });
      for (const { userId, secretSealed } of factors)
        await manager.update(
          TotpFactor,
          { userId },
          { secretSealed: this.#seal(this.#open(userId, secretSealed), userId) },
        );
      return factors.length;
    });
  }

  #seal(secret: string, userId: string): Buffer {
    return seal(secret, this.config.ENCRYPTION_SECRETS[0]!, PURPOSE, userId);
  }

  #open(userId: string, sealed: Buffer): string {
    return unseal(sealed, this.config.ENCRYPTION_SECRETS, PURPOSE, userId);
  }

  #stepOf({ userId, secretSealed }: TotpFactor, code: string): number | undefined {
    const totp = totpOf(this.#open(userId, secretSealed));
    const timestamp = this.clock.now().getTime();
    const delta = totp.validate({ token: code, timestamp, window: WINDOW });
    return delta === null ? undefined : totp.counter({ timestamp }) + delta;
  }
}

const totpOf = (secret: string, issuer = '', label = '') =>
  new TOTP({ secret: TotpKey.fromBase32(secret), issuer, label, algorithm: 'SHA1', digits: 6, period: 30 });

defineCredentialKind({
  name: 'code of an authenticator app',
  recognises: (text) => TotpCode.safeParse(text).success,
  examine: () => ({
    faults: [],
    unchecked: 'whether the app of the person shows it now, and whether it was used',
  }),
});
