import { Injectable } from '@nestjs/common';
import { InsufficientScopeError } from '../../auth/auth.errors.js';
import { ModeRegistry } from '../../auth/mode-registry.js';
import type { Scope } from '../../auth/scopes.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { RateLimiter } from '../../platform/rate-limits/rate-limiter.js';
import type { KeyHolder } from './api-key.owners.js';

/** Created or rotated. Enough to rotate all that an owner may have, twice. */
const NEW_KEYS = { requests: 300, windowSeconds: 3_600 };

/** What bounds the making of keys, new ones and successors. The command line is bound by nothing. */
@Injectable()
export class NewKeys {
  constructor(
    private readonly modes: ModeRegistry,
    private readonly log: SecurityLog,
    private readonly limiter: RateLimiter,
  ) {}

  /** Counts a new key of an owner. @throws RateLimitedError */
  async count({ ownerId, by }: KeyHolder): Promise<void> {
    if (by) await this.limiter.consume('api-key-creation', ownerId, NEW_KEYS);
  }

  /** No credential passes on more than it has. @throws InsufficientScopeError */
  refuseWider({ by }: KeyHolder, scopes: readonly Scope[]): void {
    const missing = by?.missing(scopes) ?? [];
    if (!by || missing.length === 0) return;
    this.log.refused('api-key.creation-refused', { ...by.facts, reason: `missing ${missing.join(' ')}` });
    throw new InsufficientScopeError(missing, this.modes.challengeOf(by.mode));
  }
}
