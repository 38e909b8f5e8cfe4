import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, LessThan } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { audiencesOf, ownAudience } from '../../auth/audiences.js';
import type { Principal } from '../../auth/principal.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { ValidationError } from '../../web/http/validation.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import type { PageQuery } from '../../web/pagination/page.js';
import { NotFoundError } from '../../platform/problems/not-found.js';
import { RevocationsService } from '../../platform/revocations/revocations.service.js';
import { ActingSignIn } from '../../accounts/sign-ins/acting-sign-in.js';
import { Subject } from '../../accounts/users/subject.entity.js';
import { ServiceAccount } from './service-account.entity.js';
import type { ChangeServiceAccount, CreateServiceAccount } from './service-accounts.schemas.js';

const SCOPES = ['admin:service-accounts'] as const;

/** Services that have keys of their own. What belongs to one belongs to nobody who may leave. */
@Injectable()
export class ServiceAccountsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly acting: ActingSignIn,
    private readonly revocations: RevocationsService,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws ValidationError for an audience that no token is for */
  async create(by: Principal, { name, audience }: CreateServiceAccount): Promise<ServiceAccount> {
    const audiences = audiencesOf(this.config);
    if (audience !== undefined && !audiences.includes(audience))
      throw new ValidationError([{ pointer: '/audience', detail: `must be one of ${audiences.join(', ')}` }]);
    const account = this.dataSource.manager.create(ServiceAccount, {
      id: uuidv7(),
      name,
      audience: audience ?? ownAudience(this.config),
      status: 'active',
      createdBy: by.userId,
      createdAt: this.clock.now(),
    });
    await this.dataSource.transaction(async (manager) => {
      await this.acting.lock(manager, by, SCOPES);
      await manager.insert(Subject, { id: account.id, kind: 'service-account' });
      await manager.insert(ServiceAccount, account);
    });
    this.log.happened('service-account.created', { serviceAccountId: account.id, by: by.userId });
    return account;
  }

  /**
   * Renames an account, or sets its status. On every node, the keys of a disabled account and the tokens exchanged for
   * them are refused at once.
   * @throws NotFoundError
   */
  async change(by: Principal, id: string, changes: ChangeServiceAccount): Promise<ServiceAccount> {
    const { account, isChanged } = await this.dataSource.transaction(async (manager) => {
      const account = await this.#lock(manager, by, id);
      const { name = account.name, status = account.status } = changes;
      const isChanged = status !== account.status;
      await manager.update(ServiceAccount, { id }, { name, status });
      if (isChanged) await this.#announce(manager, id);
      return { account: Object.assign(account, { name, status }), isChanged };
    });
    if (isChanged)
      this.log.happened('service-account.status-changed', {
        serviceAccountId: id,
        by: by.userId,
        status: account.status,
      });
    return account;
  }

  /** Deletes an account, its keys and all else that belongs to it. @throws NotFoundError */
  async delete(by: Principal, id: string): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await this.#lock(manager, by, id);
      await manager.delete(Subject, { id });
      await this.#announce(manager, id);
    });
    this.log.happened('service-account.deleted', { serviceAccountId: id, by: by.userId });
  }

  /** Newest first. */
  list(page: PageQuery): Promise<ServiceAccount[]> {
    return this.dataSource.manager.find(ServiceAccount, {
      where: page.after === undefined ? {} : { id: LessThan(page.after) },
      order: { id: 'DESC' },
      take: page.limit + 1,
    });
  }

  /** The subject first, as whoever makes a key for it does. @throws NotFoundError */
  async #lock(manager: EntityManager, by: Principal, id: string): Promise<ServiceAccount> {
    await this.acting.lock(manager, by, SCOPES);
    await manager.query(
      `SELECT 1 FROM subjects WHERE id = $1 AND kind = 'service-account' FOR NO KEY UPDATE`,
      [id],
    );
    const account = await manager.findOneBy(ServiceAccount, { id });
    if (!account) throw new NotFoundError('There is no such service account.');
    return account;
  }

  #announce(manager: EntityManager, id: string): Promise<void> {
    return this.revocations.announce(manager, [{ kind: 'user', subject: id }]);
  }

  /** A user is none: what follows must not reach the keys of people. @throws NotFoundError */
  async require(id: string): Promise<string> {
    if (!(await this.dataSource.manager.existsBy(ServiceAccount, { id })))
      throw new NotFoundError('There is no such service account.');
    return id;
  }
}
