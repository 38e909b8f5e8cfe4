import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Clock } from '../../platform/clock/clock.js';
import { PasswordHasher } from '../../platform/crypto/password-hasher.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { NotFoundError } from '../../platform/problems/not-found.js';
import { RevocationsService } from '../../platform/revocations/revocations.service.js';
import { Subject } from '../subjects/subject.entity.js';
import { acceptPassword } from './password-policy.js';
import { User } from './user.entity.js';
import type { ProfileChange } from './users.schemas.js';

@Injectable()
export class UsersService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly hasher: PasswordHasher,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
    private readonly revocations: RevocationsService,
  ) {}

  /** Returns undefined if the address is taken. The unique index decides, also between parallel requests. */
  async insert(
    fields: Pick<User, 'email' | 'name' | 'passwordHash'> & Partial<User>,
    manager: EntityManager = this.dataSource.manager,
  ): Promise<User | undefined> {
    const user = manager.create(User, {
      id: uuidv7(),
      roles: [],
      status: 'active',
      emailVerifiedAt: null,
      createdAt: this.clock.now(),
      unusedSince: null,
      ...fields,
    });
    const created: unknown[] = await manager.query(
      `WITH created AS (
         INSERT INTO users (id, email, name, password_hash, roles, status, email_verified_at, created_at, unused_since)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (email) DO NOTHING RETURNING id)
       INSERT INTO subjects (id, kind) SELECT id, 'user' FROM created RETURNING id`,
      [
        user.id,
        user.email,
        user.name,
        user.passwordHash,
        user.roles,
        user.status,
        user.emailVerifiedAt,
        user.createdAt,
        user.unusedSince,
      ],
    );
    return created.length > 0 ? user : undefined;
  }

  findByEmail(email: string): Promise<User | null> {
    return this.dataSource.manager.findOneBy(User, { email });
  }

  /** @throws NotFoundError */
  async get(id: string): Promise<User> {
    const user = await this.dataSource.manager.findOneBy(User, { id });
    if (!user) throw new NotFoundError();
    return user;
  }

  /**
   * Deletes a user and everything that belongs to them. Every node then asks the database about their credentials, which
   * are gone: also about a JWT (ASVS 7.4.2). The caller holds the row of the user.
   */
  async delete(manager: EntityManager, id: string): Promise<void> {
    await manager.delete(Subject, { id });
    await this.revocations.announce(manager, [{ kind: 'user', subject: id }]);
  }

  async changeProfile(id: string, { name }: ProfileChange): Promise<User> {
    if (name !== undefined) await this.dataSource.manager.update(User, { id }, { name });
    return this.get(id);
  }

  /** For the command `admin:create`. Returns undefined if the address is taken. */
  async insertAdministrator(email: string, password: string): Promise<User | undefined> {
    const accepted = acceptPassword(password, '/password', [email]);
    const roles = ['admin'];
    const passwordHash = await this.hasher.hash(accepted);
    const fields = {
      email,
      name: null,
      passwordHash,
      roles,
      emailVerifiedAt: this.clock.now(),
    };
    return this.dataSource.transaction(async (manager) => {
      const user = await this.insert(fields, manager);
      if (user) await this.log.record(manager, 'user.administrator-created', { userId: user.id });
      return user;
    });
  }
}
