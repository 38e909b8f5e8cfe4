import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { InsufficientScopeError, InvalidCredentialError } from '../../auth/auth.errors.js';
import { ModeRegistry } from '../../auth/mode-registry.js';
import type { Principal } from '../../auth/principal.js';
import type { Scope } from '../../auth/scopes.js';
import { type EventFacts, SecurityLog } from '../../platform/logging/security-log.js';
import { NotFoundError } from '../../platform/problems/not-found.js';
import { RateLimiter } from '../../platform/rate-limits/rate-limiter.js';
import { ActingSignIn } from '../../accounts/sign-ins/acting-sign-in.js';

/** Created or rotated. Enough to rotate all that an owner may have, twice. */
const NEW_KEYS = { requests: 300, windowSeconds: 3_600 };

/** Who may make and change keys for whom, asked in the transaction that does it. */
@Injectable()
export class ApiKeyOwners {
  constructor(
    private readonly acting: ActingSignIn,
    private readonly modes: ModeRegistry,
    private readonly log: SecurityLog,
    private readonly limiter: RateLimiter,
  ) {}

  /** Counts a new key of an owner. @throws RateLimitedError */
  countNewKey(ownerId: string): Promise<void> {
    return this.limiter.consume('api-key-creation', ownerId, NEW_KEYS);
  }

  /**
   * Locks the owner, so that what is counted next is still true when the key is there, and the sign-in of the person who
   * acts. People have keys of their own and, as administrators, those of service accounts, never each other's.
   * @param by undefined for the command line
   * @throws InvalidCredentialError if the person is disabled or their sign-in has ended
   * @throws InsufficientScopeError if the person is no administrator any more
   * @throws NotFoundError if there is no such owner
   */
  async hold(manager: EntityManager, ownerId: string, by: Principal | undefined): Promise<void> {
    if (!by) return this.#holdUser(manager, ownerId);
    const isOwn = by.userId === ownerId;
    await this.acting.lock(manager, by, [isOwn ? 'api-keys:write' : 'admin:service-accounts']);
    if (!isOwn) await this.#holdServiceAccount(manager, ownerId);
  }

  /** No credential passes on more than it has. @throws InsufficientScopeError */
  refuseWider(principal: Principal, scopes: readonly Scope[]): void {
    const missing = principal.missing(scopes);
    if (missing.length === 0) return;
    this.log.refused('api-key.creation-refused', { reason: `missing ${missing.join(' ')}` }, principal);
    throw new InsufficientScopeError(missing, this.modes.challengeOf(principal.mode));
  }

  async #holdServiceAccount(manager: EntityManager, id: string): Promise<void> {
    const rows: unknown[] = await manager.query(
      `SELECT 1 FROM subjects WHERE id = $1 AND kind = 'service-account' FOR NO KEY UPDATE`,
      [id],
    );
    if (rows.length === 0) throw new NotFoundError();
  }

  async #holdUser(manager: EntityManager, id: string): Promise<void> {
    const rows: unknown[] = await manager.query(
      `SELECT 1 FROM users WHERE id = $1 AND status = 'active' FOR NO KEY UPDATE`,
      [id],
    );
    if (rows.length === 0) throw new InvalidCredentialError('owner disabled or deleted');
  }
}

/** Whose key it is, for the log, and who did something to it if that is another: people have their own, services none. */
export const ownerFacts = (ownerId: string, by: Principal | undefined): EventFacts =>
  by && by.subject !== ownerId ? { serviceAccountId: ownerId, by: by.subject } : { userId: ownerId };
