import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, LessThan } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { audiencesOf, ownAudience } from '../../auth/audiences.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { ValidationError } from '../../web/http/validation.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import type { PageQuery } from '../../web/pagination/page.js';
import { NotFoundError } from '../../platform/problems/not-found.js';
import { RevocationsService } from '../../platform/revocations/revocations.service.js';
import { Subject } from '../../accounts/subjects/subject.entity.js';
import { ServiceAccount, type ServiceAccountStatus } from './service-account.entity.js';
import { holdServiceAccount } from './service-account-owner.js';

/** The acting administrator. */
export interface Acting {
  /** A user. */
  readonly by: string;
  /** Locks the acting user until the transaction ends. @throws ProblemError if the user has lost the right */
  hold(manager: EntityManager): Promise<void>;
}

/** Creates, lists, changes and deletes service accounts. */
@Injectable()
export class ServiceAccountsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly revocations: RevocationsService,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * @param acting undefined for the command line
   * @throws ValidationError if the audience is not one of AUDIENCES
   */
  async create(
    { name, audience }: { name: string; audience?: string | undefined },
    acting?: Acting,
  ): Promise<ServiceAccount> {
    const audiences = audiencesOf(this.config);
    if (audience !== undefined && !audiences.includes(audience))
      throw new ValidationError([{ pointer: '/audience', detail: `must be one of ${audiences.join(', ')}` }]);
    const account = this.dataSource.manager.create(ServiceAccount, {
      id: uuidv7(),
      name,
      audience: audience ?? ownAudience(this.config),
      status: 'active',
      createdBy: acting?.by ?? null,
      createdAt: this.clock.now(),
    });
    await this.dataSource.transaction(async (manager) => {
      await acting?.hold(manager);
      await manager.insert(Subject, { id: account.id, kind: 'service-account' });
      await manager.insert(ServiceAccount, account);
      const facts = { serviceAccountId: account.id, by: acting?.by };
      await this.log.record(manager, 'service-account.created', facts);
    });
    return account;
  }

  /**
   * Renames an account or sets its status. All nodes refuse the keys of a disabled account and their tokens at once.
   * @throws NotFoundError
   */
  async change(
    acting: Acting,
    id: string,
    changes: { name?: string | undefined; status?: ServiceAccountStatus | undefined },
  ): Promise<ServiceAccount> {
    return this.dataSource.transaction(async (manager) => {
      const account = await this.#lock(manager, acting, id);
      const { name = account.name, status = account.status } = changes;
      await manager.update(ServiceAccount, { id }, { name, status });
      if (status !== account.status) {
        await this.#announce(manager, id);
        const facts = { serviceAccountId: id, by: acting.by, status };
        await this.log.record(manager, 'service-account.status-changed', facts);
      }
      return Object.assign(account, { name, status });
    });
  }

  /** Deletes an account with its keys and all its data. @throws NotFoundError */
  async delete(acting: Acting, id: string): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await this.#lock(manager, acting, id);
      await this.log.record(manager, 'service-account.deleted', { serviceAccountId: id, by: acting.by });
      await manager.delete(Subject, { id });
      await this.#announce(manager, id);
    });
  }

  /** Newest first. */
  list(page: PageQuery): Promise<ServiceAccount[]> {
    return this.dataSource.manager.find(ServiceAccount, {
      where: page.after === undefined ? {} : { id: LessThan(page.after) },
      order: { id: 'DESC' },
      take: page.limit + 1,
    });
  }

  /** Locks the subject before the account, in the same order as the creation of keys. @throws NotFoundError */
  async #lock(manager: EntityManager, acting: Acting, id: string): Promise<ServiceAccount> {
    await acting.hold(manager);
    await holdServiceAccount(manager, id);
    return manager.findOneByOrFail(ServiceAccount, { id });
  }

  #announce(manager: EntityManager, id: string): Promise<void> {
    return this.revocations.announce(manager, [{ kind: 'user', subject: id }]);
  }

  /** Returns the id if it is a service account, so that callers cannot reach the keys of users. @throws NotFoundError */
  async require(id: string): Promise<string> {
    if (!(await this.dataSource.manager.existsBy(ServiceAccount, { id })))
      throw new NotFoundError('There is no such service account.');
    return id;
  }
}
