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
import { lockWithAdministrators, refuseWithoutAdministrator } from '../users/administrators.js';
import { User, type UserStatus } from '../users/user.entity.js';
import { showUser } from '../users/user-view.js';
import type { UserView } from '../users/users.schemas.js';

/** Changes that administrators make to users. */
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

  /** Ends the user's sign-ins, so that no token keeps the scopes of a removed role. */
  async setRoles(by: Principal, id: string, roles: string[]): Promise<UserView> {
    return this.#change(by, id, { roles });
  }

  /** Ends the user's sign-ins. The keys of a disabled user are refused while the user is disabled (ASVS 7.4.2). */
  async setStatus(by: Principal, id: string, status: UserStatus): Promise<UserView> {
    return this.#change(by, id, { status });
  }

  /** @throws NotFoundError */
  async signOut(by: Principal, id: string): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await this.#lock(manager, by, id);
      await this.signIns.endAll(manager, id, 'ended by an administrator');
      await this.log.record(manager, 'user.signed-out', { userId: id, by: by.userId });
    });
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
        await refuseWithoutAdministrator(manager, before.roles);
        await this.signIns.endAll(manager, id, 'roles' in change ? 'roles changed' : 'user disabled');
        // Caches can hold that the owner of a key is active.
        await this.revocations.announce(manager, [{ kind: 'user', subject: id }]);
      }
      const type = 'roles' in change ? 'user.roles-changed' : 'user.status-changed';
      await this.log.record(manager, type, { userId: id, by: by.userId, ...change });
      return showUser(user);
    });
  }

  async #lock(manager: EntityManager, by: Principal, id: string): Promise<User> {
    await lockWithAdministrators(manager, [id, by.userId]);
    await this.acting.lock(manager, by, ['admin:users']);
    const user = await manager.findOneBy(User, { id });
    if (!user) throw new NotFoundError('There is no such user.');
    return user;
  }
}
