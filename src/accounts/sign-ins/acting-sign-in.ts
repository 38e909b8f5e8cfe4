import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { InsufficientScopeError, InvalidCredentialError } from '../../auth/auth.errors.js';
import { ModeRegistry } from '../../auth/mode-registry.js';
import type { Principal } from '../../auth/principal.js';
import { type Scope, scopesOfRoles } from '../../auth/scopes.js';
import { Clock } from '../../platform/clock/clock.js';
import { SecurityLog } from '../../platform/logging/security-log.js';

/**
 * The sign-in behind a privileged write. It can end after the guard's check, while the write waits for locks, so the
 * transaction that writes checks it again.
 */
@Injectable()
export class ActingSignIn {
  constructor(
    private readonly modes: ModeRegistry,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
  ) {}

  /**
   * Locks the acting user and their sign-in until the transaction ends. Call it first: the lock order is users, sign_ins,
   * then the rest. A caller that changes other users locks all users before this call, ordered by id.
   * @throws InvalidCredentialError if the user is disabled, or if the sign-in has ended or has new secrets
   * @throws InsufficientScopeError if the user's roles no longer include `scopes`
   */
  async lock(manager: EntityManager, principal: Principal, scopes: readonly Scope[]): Promise<void> {
    const [user]: { roles: string[] }[] = await manager.query(
      `SELECT roles FROM users WHERE id = $1 AND status = 'active' FOR NO KEY UPDATE`,
      [principal.userId],
    );
    if (!user) throw this.#invalid(principal, 'user disabled or deleted meanwhile');
    // Tokens carry whole seconds. A renewal moves auth_time by at least one second and revokes the earlier secrets.
    const signIns: unknown[] = await manager.query(
      `SELECT 1 FROM sign_ins
       WHERE id = $1 AND user_id = $2 AND ended_at IS NULL AND expires_at > $3 AND idle_expires_at > $3
         AND date_trunc('second', auth_time) = date_trunc('second', $4::timestamptz)
       FOR NO KEY UPDATE`,
      [principal.signInId, principal.userId, this.clock.now(), principal.authTime],
    );
    if (signIns.length === 0) throw this.#invalid(principal, 'sign-in ended or renewed meanwhile');
    const held = scopesOfRoles(user.roles);
    const missing = scopes.filter((scope) => !held.includes(scope));
    if (missing.length > 0)
      throw this.#refused(
        principal,
        new InsufficientScopeError(missing, this.modes.challengeOf(principal.mode)),
      );
  }

  #invalid(principal: Principal, reason: string): InvalidCredentialError {
    const challenges = [this.modes.invalidChallengeOf(principal.mode)];
    return this.#refused(principal, new InvalidCredentialError(reason, challenges));
  }

  #refused<E extends InsufficientScopeError | InvalidCredentialError>(principal: Principal, error: E): E {
    this.log.refused('request.refused', {
      ...principal.facts,
      problem: error.kind.slug,
      reason: error.reason,
    });
    return error;
  }
}
