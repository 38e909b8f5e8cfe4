import { Injectable } from '@nestjs/common';
import { ActingSignIn } from '../../accounts/sign-ins/acting-sign-in.js';
import type { Principal } from '../../auth/principal.js';
import type { KeyHolder } from '../../modes/api-keys/api-key.owners.js';
import { holdServiceAccount } from '../service-accounts/service-account-owner.js';
import { type Acting, ServiceAccountsService } from '../service-accounts/service-accounts.service.js';

/** Checks the rights of an administrator again in the transaction that changes a service account or its keys. */
@Injectable()
export class Administrators {
  constructor(
    private readonly signIns: ActingSignIn,
    private readonly accounts: ServiceAccountsService,
  ) {}

  acting(by: Principal): Acting {
    return {
      by: by.userId,
      hold: (manager) => this.signIns.lock(manager, by, ['admin:service-accounts']),
    };
  }

  /** @throws NotFoundError if the id is not a service account, so that administrators cannot change users' keys */
  async holderOf(by: Principal, accountId: string): Promise<KeyHolder> {
    const ownerId = await this.accounts.require(accountId);
    const acting = this.acting(by);
    return {
      ownerId,
      by,
      facts: { serviceAccountId: ownerId, by: acting.by },
      hold: async (manager) => {
        await acting.hold(manager);
        await holdServiceAccount(manager, ownerId);
      },
    };
  }
}
