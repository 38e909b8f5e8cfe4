import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Clock } from '../clock/clock.js';
import { PasswordHasher } from '../crypto/password-hasher.js';
import { SecurityLog } from '../logging/security-log.js';
import { MailService } from '../mail/mail.service.js';
import { NotFoundError } from '../problems/not-found.js';
import { EmailVerificationsService } from './email-verifications.service.js';
import { acceptPassword } from './password-policy.js';
import { type Role, User } from './user.entity.js';
import type { ProfileChange, Registration } from './users.schemas.js';

@Injectable()
export class UsersService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly hasher: PasswordHasher,
    private readonly verifications: EmailVerificationsService,
    private readonly mail: MailService,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
  ) {}

  /**
   * Registers an address. Whether it was free shows neither in the answer nor in the work behind it: one hash, one
   * insert, one query more and one mail in either case (ASVS 6.3.8).
   * @throws ValidationError for a password that nobody should have
   */
  async register({ email, password, name }: Registration): Promise<void> {
    const accepted = acceptPassword(password, '/password', name === undefined ? [email] : [email, name]);
    const created = await this.insert({
      email,
      name: name ?? null,
      passwordHash: await this.hasher.hash(accepted),
    });
    if (created) {
      this.log.happened('user.registered', { userId: created.id });
      await this.verifications.send(created);
      return;
    }
    const owner = await this.findByEmail(email);
    this.log.refused('user.registration-refused', { userId: owner?.id, reason: 'address taken' });
    await this.mail.send({
      to: email,
      subject: 'Somebody tried to register with your address',
      text: [
        'Somebody, perhaps you, tried to register an account with this address.',
        'There is one already: sign in with it. If it was not you, there is',
        'nothing to do; nothing was changed.',
      ].join('\n'),
    });
  }

  /** Undefined if the address is taken: the unique index decides, also between two at the same moment. */
  async insert(
    fields: Pick<User, 'email' | 'name' | 'passwordHash'> & Partial<User>,
  ): Promise<User | undefined> {
    const user = this.dataSource.manager.create(User, {
      id: uuidv7(),
      roles: [],
      status: 'active',
      emailVerifiedAt: null,
      createdAt: this.clock.now(),
      ...fields,
    });
    const created: unknown[] = await this.dataSource.query(
      `WITH created AS (
         INSERT INTO users (id, email, name, password_hash, roles, status, email_verified_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (email) DO NOTHING RETURNING id)
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

  async changeProfile(id: string, { name }: ProfileChange): Promise<User> {
    if (name !== undefined) await this.dataSource.manager.update(User, { id }, { name });
    return this.get(id);
  }

  /** For the command that makes the first administrator. Undefined if the address is taken. */
  async insertAdministrator(email: string, password: string): Promise<User | undefined> {
    const accepted = acceptPassword(password, '/password', [email]);
    const roles: Role[] = ['admin'];
    const user = await this.insert({
      email,
      name: null,
      passwordHash: await this.hasher.hash(accepted),
      roles,
      emailVerifiedAt: this.clock.now(),
    });
    if (user) this.log.happened('user.administrator-created', { userId: user.id });
    return user;
  }
}
