import { Injectable } from '@nestjs/common';
import { ActingSignIn } from '../../accounts/sign-ins/acting-sign-in.js';
import { User } from '../../accounts/users/user.entity.js';
import type { Principal } from '../../auth/principal.js';
import { defineKeyOwner, type KeyHolder } from '../../modes/api-keys/api-key.owners.js';
import { NotFoundError } from '../../platform/problems/not-found.js';

/** The path of a person's own keys. */
export const OWN_KEYS_PATH = 'v1/api-keys';

defineKeyOwner({
  kind: 'user',
  table: 'users',
  option: { name: 'email', example: 'ada@example.com', meaning: 'the email address of an active user' },
  async find(manager, email) {
    const user = await manager.findOneBy(User, { email: email.toLowerCase(), status: 'active' });
    if (!user) return undefined;
    const { id } = user;
    return {
      ownerId: id,
      facts: { userId: id },
      // An account with keys is in use, even if nobody has signed in.
      hold: async (manager) => {
        const { affected } = await manager.update(User, { id, status: 'active' }, { unusedSince: null });
        if (affected !== 1) throw new NotFoundError();
      },
    };
  },
});

/** The keys of the acting person. */
@Injectable()
export class OwnKeys {
  constructor(private readonly acting: ActingSignIn) {}

  of(by: Principal): KeyHolder {
    return {
      ownerId: by.userId,
      by,
      facts: { userId: by.userId },
      hold: (manager) => this.acting.lock(manager, by, ['api-keys:write']),
    };
  }
}
