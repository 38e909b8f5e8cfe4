import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import type { Principal } from '../../auth/principal.js';
import { Clock } from '../../platform/clock/clock.js';
import { DEADLOCK, retryTransaction } from '../../platform/database/retry-transaction.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { MailQueue } from '../../platform/mail/mail-queue.js';
import { RateLimiter } from '../../platform/rate-limits/rate-limiter.js';
import { ActingSignIn } from '../sign-ins/acting-sign-in.js';
import { allPersonalData } from '../subjects/personal-data.js';
import { lockWithAdministrators, refuseWithoutAdministrator } from '../users/administrators.js';
import { User } from '../users/user.entity.js';
import { showUser } from '../users/user-view.js';
import { UsersService } from '../users/users.service.js';

/** Exports per person. Each one reads every table that has data about the person. */
const EXPORTS = { requests: 10, windowSeconds: 3600 };
const GOODBYE = {
  subject: 'Your account was deleted',
  text: `Your account was deleted, with everything that belonged to it. All sign-ins,
tokens and keys have ended.
`,
};

/** What a person can take along, and the end of their account. */
@Injectable()
export class LeavingService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly acting: ActingSignIn,
    private readonly users: UsersService,
    private readonly mails: MailQueue,
    private readonly limiter: RateLimiter,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
  ) {}

  /** All that is stored about a person, as it was at one moment. Without secrets and their hashes. @throws RateLimitedError */
  async export({ userId }: Principal): Promise<object> {
    await this.limiter.consume('exports', userId, EXPORTS);
    const data = await this.dataSource.transaction('REPEATABLE READ', async (manager) => {
      const parts: [string, unknown][] = [
        ['exportedAt', this.clock.now()],
        ['account', showUser(await manager.findOneByOrFail(User, { id: userId }))],
      ];
      for (const { name, select } of allPersonalData())
        parts.push([name, await manager.query(select, [userId])]);
      return Object.fromEntries(parts);
    });
    this.log.happened('user.exported', { userId });
    return data;
  }

  /**
   * Deletes the account and everything that belongs to it. Every credential ends, on every node.
   * @throws LastAdministratorError
   */
  async delete(by: Principal): Promise<void> {
    // Requests under way lock rows of the account in other orders.
    await retryTransaction(this.dataSource, [DEADLOCK], (manager) => this.#delete(manager, by));
  }

  async #delete(manager: EntityManager, by: Principal): Promise<void> {
    const { userId } = by;
    // A role that is granted in between ends this sign-in, and the next check refuses.
    if (await this.#isAdministrator(manager, userId)) await lockWithAdministrators(manager, [userId]);
    await this.acting.lock(manager, by, ['account:security']);
    const { email, roles } = await manager.findOneByOrFail(User, { id: userId });
    await this.log.record(manager, 'user.deleted', { userId });
    await this.users.delete(manager, userId);
    await refuseWithoutAdministrator(manager, roles);
    await this.mails.add(manager, [{ to: email, ...GOODBYE }]);
  }

  async #isAdministrator(manager: EntityManager, id: string): Promise<boolean> {
    const user = await manager.findOneBy(User, { id });
    return user?.roles.includes('admin') ?? false;
  }
}
