import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import type { Principal } from '../../auth/principal.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { AttemptLimits } from '../attempt-limits/attempt-limits.js';
import { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import { CarrierRegistry, type IssuedCredential } from './carriers.js';
import { PasswordCheck } from './password-check.js';
import { type ProofFields, ProofRegistry, type Proven } from './proofs.js';
import { isPassword } from './sign-in-request.js';
import { SignInsService } from './sign-ins.service.js';
import { PASSWORD_AMR, PROOF_LIMITS } from './signing-in.service.js';

const REFUSED = 'reauthentication.refused';

/** The result of a password check in an existing sign-in. */
export const BY_PASSWORD = { amr: PASSWORD_AMR, secondFactor: false, identity: true };

/** New proofs of identity in an existing sign-in, which gets new secrets. */
@Injectable()
export class ReauthenticationService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly users: UsersService,
    private readonly passwords: PasswordCheck,
    private readonly proofs: ProofRegistry,
    private readonly signIns: SignInsService,
    private readonly carriers: CarrierRegistry,
    private readonly limits: AttemptLimits,
    private readonly log: SecurityLog,
  ) {}

  /** @throws InvalidCredentialError */
  async reauthenticate(principal: Principal, fields: ProofFields): Promise<IssuedCredential> {
    return isPassword(fields)
      ? this.#byPassword(principal, fields.password)
      : this.#byProof(principal, fields);
  }

  /**
   * Replaces the secrets of the acting sign-in, in the transaction of the proof or the change. The caller must hold the lock
   * of the user's row. With `identity`, the authentication time becomes now.
   */
  async renew(
    manager: EntityManager,
    principal: Principal,
    user: User,
    proven?: Proven & { readonly identity: boolean },
  ): Promise<IssuedCredential> {
    const signIn = await this.signIns.renewAuthTime(manager, principal.signInId, principal.authTime, proven);
    if (!signIn) throw new InvalidCredentialError('sign-in ended or renewed meanwhile');
    return this.carriers.get(signIn.carrier).renew(manager, signIn, user);
  }

  async #byPassword(principal: Principal, password: string): Promise<IssuedCredential> {
    const user = await this.users.get(principal.userId);
    await this.passwords.require(principal, user, password, REFUSED);
    return this.dataSource.transaction(async (manager) => {
      if (!(await this.passwords.lockUnchanged(manager, user)))
        throw this.passwords.refuse(REFUSED, 'changed meanwhile', user.id);
      await this.#record(manager, principal, 'password');
      return this.renew(manager, principal, user, BY_PASSWORD);
    });
  }

  async #byProof(principal: Principal, fields: ProofFields): Promise<IssuedCredential> {
    const { userId } = principal;
    const proof = await this.proofs.reauthenticate(fields, userId);
    const use = () =>
      this.dataSource.transaction(async (manager) => {
        const user = await manager.findOne(User, {
          where: { id: userId, status: 'active' },
          lock: { mode: 'for_no_key_update' },
        });
        const refused = user ? await proof.use(manager, user) : 'user disabled or deleted meanwhile';
        if (refused || !user) throw this.passwords.refuse(REFUSED, refused!, userId);
        await this.#record(manager, principal, proof.method);
        return this.renew(manager, principal, user, { ...proof, identity: true });
      });
    return proof.unguessable ? use() : this.limits.check(PROOF_LIMITS, principal, use);
  }

  #record(manager: EntityManager, { userId, signInId }: Principal, method: string): Promise<void> {
    const facts = { userId, credentialId: signInId, method };
    return this.log.record(manager, 'reauthentication.succeeded', facts);
  }
}
