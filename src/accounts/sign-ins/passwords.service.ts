import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { Principal } from '../../auth/principal.js';
import { PasswordHasher } from '../../platform/crypto/password-hasher.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { MailQueue } from '../../platform/mail/mail-queue.js';
import { acceptPassword } from '../users/password-policy.js';
import { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import type { IssuedCredential } from './carriers.js';
import { PasswordCheck } from './password-check.js';
import { BY_PASSWORD, ReauthenticationService } from './reauthentication.service.js';
import { SignInsService } from './sign-ins.service.js';

const REFUSED = 'password.change-refused';

const CHANGED = {
  subject: 'Your password was changed',
  text: 'Your password was changed, and all your other sign-ins have ended.\nIf it was not you, reply to this mail at once.\n',
};

/** Changes passwords. */
@Injectable()
export class PasswordsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly users: UsersService,
    private readonly passwords: PasswordCheck,
    private readonly reauthentication: ReauthenticationService,
    private readonly signIns: SignInsService,
    private readonly hasher: PasswordHasher,
    private readonly mails: MailQueue,
    private readonly log: SecurityLog,
  ) {}

  /** Changes the password. All other sign-ins of the person end, and this one gets new secrets (ASVS 7.4.3). */
  async change(
    principal: Principal,
    currentPassword: string,
    newPassword: string,
  ): Promise<IssuedCredential> {
    const user = await this.users.get(principal.userId);
    const about = user.name === null ? [user.email] : [user.email, user.name];
    const accepted = acceptPassword(newPassword, '/newPassword', about);
    await this.passwords.require(principal, user, currentPassword, REFUSED);
    const passwordHash = await this.hasher.hash(accepted);
    return this.dataSource.transaction(async (manager) => {
      if (!(await this.passwords.lockUnchanged(manager, user)))
        throw this.passwords.refuse(REFUSED, 'changed meanwhile', user.id);
      await manager.update(User, { id: user.id }, { passwordHash });
      await this.signIns.endAll(manager, user.id, 'password changed', principal.signInId);
      await this.mails.add(manager, [{ to: user.email, ...CHANGED }]);
      const facts = { userId: user.id, credentialId: principal.signInId };
      await this.log.record(manager, 'password.changed', facts);
      return this.reauthentication.renew(manager, principal, user, BY_PASSWORD);
    });
  }
}
