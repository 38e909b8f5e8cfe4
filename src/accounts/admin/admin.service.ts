import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import type { Principal } from '../../auth/principal.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { type ListQuery, pageQuery, toPage } from '../../web/pagination/page.js';
import { NotFoundError } from '../../platform/problems/not-found.js';
import { RevocationsService } from '../../platform/revocations/revocations.service.js';
import { ActingSignIn } from '../sign-ins/acting-sign-in.js';
import { SignInsService } from '../sign-ins/sign-ins.service.js';
import { User, type UserStatus } from '../users/user.entity.js';
import { showUser } from '../users/user-view.js';
import type { UserView } from '../users/users.schemas.js';
import { LastAdministratorError } from './admin.errors.js';

/** What administrators do to users. */
@Injectable()
export class AdminService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly acting: ActingSignIn,
    private readonly signIns: SignInsService,
    private readonly revocations: RevocationsService,
    private readonly log: SecurityLog,
  ) {}

  async page(query: ListQuery) {
    const { limit, after } = pageQuery(query);
    const rows = this.dataSource.createQueryBuilder(User, 'u');
    if (after) rows.where('u.id < :after', { after });
    return toPage(
      await rows
        .orderBy('u.id', 'DESC')
        .limit(limit + 1)
        .getMany(),
      limit,
      showUser,
    );
  }

  /** Ends the user's sign-ins, so that no token goes on with scopes of the roles before. */
  async setRoles(by: Principal, id: string, roles: string[]): Promise<UserView> {
    const user = await this.#change(by, id, { roles });
    this.log.happened('user.roles-changed', { userId: id, by: by.userId, roles });
    return user;
  }

  /** A disabled user's sign-ins end, and their keys are refused for as long as they are disabled (ASVS 7.4.2). */
  async setStatus(by: Principal, id: string, status: UserStatus): Promise<UserView> {
    const user = await this.#change(by, id, { status });
    this.log.happened('user.status-changed', { userId: id, by: by.userId, status });
    return user;
  }

  /** @throws NotFoundError */
  async signOut(by: Principal, id: string): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await this.#lock(manager, by, id);
      await this.signIns.endAll(manager, id, 'ended by an administrator');
    });
    this.log.happened('user.signed-out', { userId: id, by: by.userId });
  }

  /**
   * @throws NotFoundError
   * @throws LastAdministratorError
   */
  #change(
    by: Principal,
    id: string,
    change: { roles: string[] } | { status: UserStatus },
  ): Promise<UserView> {
    return this.dataSource.transaction(async (manager) => {
      const user = await this.#lock(manager, by, id);
      const before = { roles: user.roles, status: user.status };
      Object.assign(user, change);
      if (JSON.stringify(before) !== JSON.stringify({ roles: user.roles, status: user.status })) {
        await manager.update(User, { id }, change);
        await this.#refuseWithoutAdministrator(manager, before.roles);
        await this.signIns.endAll(manager, id, 'roles' in change ? 'roles changed' : 'user disabled');
        // And whatever is remembered of the user, such as that the owner of a key is active.
        await this.revocations.announce(manager, [{ kind: 'user', subject: id }]);
      }
      return showUser(user);
    });
  }

  /**
   * Locks the user, the acting administrator and all other administrators. Of two who depose each other, the second is
   * refused; of two who resign, the second finds that nobody else is left.
   */
  async #lock(manager: EntityManager, by: Principal, id: string): Promise<User> {
    await manager.query(
      `SELECT id FROM users WHERE id = ANY($1::uuid[]) OR 'admin' = ANY(roles) ORDER BY id FOR NO KEY UPDATE`,
      [[id, by.userId]],
    );
    await this.acting.lock(manager, by, ['admin:users']);
    const user = await manager.findOneBy(User, { id });
    if (!user) throw new NotFoundError('There is no such user.');
    return user;
  }

  async #refuseWithoutAdministrator(manager: EntityManager, rolesBefore: string[]): Promise<void> {
    if (!rolesBefore.includes('admin')) return;
    const left: unknown[] = await manager.query(
      `SELECT 1 FROM users WHERE 'admin' = ANY(roles) AND status = 'active' LIMIT 1`,
    );
    if (left.length === 0) throw new LastAdministratorError();
  }
}
