import { Injectable } from '@nestjs/common';
import type { Principal } from '../../auth/principal.js';
import type { IssuedCredential } from '../../accounts/sign-ins/carriers.js';
import { UsersService } from '../../accounts/users/users.service.js';
import { NotFoundError } from '../../platform/problems/not-found.js';
import { FactorChanges } from './factor-changes.service.js';
import { showPasskey } from './factors.service.js';
import type { PasskeyRegistration } from './mfa.schemas.js';
import { handleOf, PasskeyChallenges } from './passkey-challenges.js';
import { Passkey } from './passkey.entity.js';
import { PasskeysService } from './passkeys.service.js';

/** Adds and removes the passkeys of a person. */
@Injectable()
export class EnrolledPasskeys {
  constructor(
    private readonly changes: FactorChanges,
    private readonly challenges: PasskeyChallenges,
    private readonly passkeys: PasskeysService,
    private readonly users: UsersService,
  ) {}

  async options({ userId }: Principal): Promise<{ challenge: string }> {
    return this.challenges.forRegistration(await this.users.get(userId));
  }

  /** @throws InvalidPasskeyError */
  async add(principal: Principal, registration: PasskeyRegistration): Promise<IssuedCredential> {
    const passkey = await this.passkeys.verifyRegistration(principal.userId, registration);
    const change = { event: 'passkey.enrolled', told: 'A passkey was added to your account' };
    const amr = [passkey.synced ? 'swk' : 'hwk', 'user', 'mfa'];
    return this.changes.enrol(principal, change, amr, async ({ manager }) => {
      await this.passkeys.insert(manager, passkey);
      return { passkey: showPasskey(passkey) };
    });
  }

  /** @throws NotFoundError */
  remove(principal: Principal, id: string): Promise<IssuedCredential> {
    const { userId } = principal;
    const change = { event: 'passkey.removed', told: 'A passkey was removed from your account' };
    return this.changes.remove(principal, change, async ({ manager }) => {
      const { affected } = await manager.delete(Passkey, { id, userId });
      if (affected !== 1) throw new NotFoundError();
      const left = await manager.findBy(Passkey, { userId });
      return {
        signal: {
          rpId: this.challenges.rpId,
          userId: handleOf(userId).toString('base64url'),
          allAcceptedCredentialIds: left.map(({ credentialId }) => credentialId),
        },
      };
    });
  }
}
