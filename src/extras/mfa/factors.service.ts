import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { Principal } from '../../auth/principal.js';
import type { IssuedCredential } from '../../accounts/sign-ins/carriers.js';
import { NotFoundError } from '../../platform/problems/not-found.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { ValidationError } from '../../web/http/validation.js';
import { FactorChanges } from './factor-changes.service.js';
import { NoSecondFactorError } from './mfa.errors.js';
import type { MfaView, PasskeyView } from './mfa.schemas.js';
import { Passkey } from './passkey.entity.js';
import { RecoveryCodesService } from './recovery-codes.service.js';
import { hasFactor, SecondFactors } from './second-factors.js';
import { TotpService } from './totp.service.js';

export const TOTP_AMR = ['otp', 'mfa'];

/** Enrols and removes authenticator apps, and replaces recovery codes. */
@Injectable()
export class FactorsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly changes: FactorChanges,
    private readonly factors: SecondFactors,
    private readonly totp: TotpService,
    private readonly codes: RecoveryCodesService,
    private readonly log: SecurityLog,
  ) {}

  async show(userId: string): Promise<MfaView> {
    const { totp, recoveryCodes } = await this.factors.of(userId);
    const passkeys = await this.dataSource.manager.find(Passkey, { where: { userId }, order: { id: 'ASC' } });
    return { totp, passkeys: passkeys.map(showPasskey), recoveryCodes };
  }

  /** @throws TotpEnrolledError */
  beginTotp(principal: Principal) {
    return this.changes.run(principal, ({ manager, user }) => this.totp.begin(manager, user));
  }

  /** @throws ValidationError if the code is wrong, or there is no secret */
  enrolTotp(principal: Principal, code: string): Promise<IssuedCredential> {
    const change = { event: 'totp.enrolled', told: 'An authenticator app was added to your account' };
    return this.changes.enrol(principal, change, TOTP_AMR, async ({ manager, user }) => {
      const refused = await this.totp.activate(manager, user.id, code);
      if (refused === undefined) return {};
      this.log.refused('totp.refused', { reason: refused, userId: user.id });
      throw new ValidationError([
        { pointer: '/code', detail: 'must be the current code of the secret that was issued last' },
      ]);
    });
  }

  /** @throws NotFoundError */
  removeTotp(principal: Principal): Promise<IssuedCredential> {
    const change = { event: 'totp.removed', told: 'The authenticator app was removed from your account' };
    return this.changes.remove(principal, change, async ({ manager, user }) => {
      if (!(await this.totp.remove(manager, user.id))) throw new NotFoundError();
      return {};
    });
  }

  /** @throws NoSecondFactorError */
  async replaceCodes(principal: Principal): Promise<{ recoveryCodes: string[] }> {
    const change = { event: 'recovery-codes.replaced', told: 'Your recovery codes were replaced' };
    const recoveryCodes = await this.changes.run(principal, async (acting) => {
      if (!hasFactor(acting.enrolled)) throw new NoSecondFactorError();
      await this.changes.tell(acting, principal, change);
      return this.codes.replace(acting.manager, principal.userId);
    });
    return { recoveryCodes };
  }
}

export const showPasskey = (passkey: Omit<Passkey, 'user'>): PasskeyView => ({
  id: passkey.id,
  credentialId: passkey.credentialId,
  name: passkey.name,
  synced: passkey.synced,
  backedUp: passkey.backedUp,
  createdAt: passkey.createdAt.toISOString(),
  lastUsedAt: passkey.lastUsedAt?.toISOString() ?? null,
});
