import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, LessThan } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { Principal } from '../auth/principal.js';
import { Clock } from '../clock/clock.js';
import { CONFIG, type Config } from '../config/config.js';
import { ValidationError } from '../http/validation.js';
import { SecurityLog } from '../logging/security-log.js';
import type { PageQuery } from '../pagination/page.js';
import { NotFoundError } from '../problems/not-found.js';
import { Subject } from '../users/subject.entity.js';
import { ServiceAccount } from './service-account.entity.js';
import type { CreateServiceAccount } from './service-accounts.schemas.js';

/** Services that have keys of their own. What belongs to one belongs to nobody who may leave. */
@Injectable()
export class ServiceAccountsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws ValidationError for an audience that no token is for */
  async create(by: Principal, { name, audience }: CreateServiceAccount): Promise<ServiceAccount> {
    const { AUDIENCES } = this.config;
    if (audience !== undefined && !AUDIENCES.includes(audience))
      throw new ValidationError([{ pointer: '/audience', detail: `must be one of ${AUDIENCES.join(', ')}` }]);
    const account = this.dataSource.manager.create(ServiceAccount, {
      id: uuidv7(),
      name,
      audience: audience ?? AUDIENCES[0],
      createdBy: by.userId,
      createdAt: this.clock.now(),
    });
    await this.dataSource.transaction(async (manager) => {
      await manager.insert(Subject, { id: account.id, kind: 'service-account' });
      await manager.insert(ServiceAccount, account);
    });
    this.log.happened('service-account.created', { serviceAccountId: account.id, by: by.userId });
    return account;
  }

  /** Newest first. */
  list(page: PageQuery): Promise<ServiceAccount[]> {
    return this.dataSource.manager.find(ServiceAccount, {
      where: page.after === undefined ? {} : { id: LessThan(page.after) },
      order: { id: 'DESC' },
      take: page.limit + 1,
    });
  }

  /** A user is none: what follows must not reach the keys of people. @throws NotFoundError */
  async require(id: string): Promise<string> {
    if (!(await this.dataSource.manager.existsBy(ServiceAccount, { id })))
      throw new NotFoundError('There is no such service account.');
    return id;
  }
}
