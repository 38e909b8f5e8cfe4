import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { seal, unseal } from '../../platform/crypto/sealing.js';
import { isRandomSecret, Secret, sha256 } from '../../platform/crypto/secret.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { AttemptCounter } from '../../platform/rate-limits/attempt-counter.js';
import { defineAttemptLimit } from '../../platform/rate-limits/attempt-limit.js';
import { type LiveSignIn, whyOver } from '../../accounts/sign-ins/live-sign-in.js';
import { SignIn } from '../../accounts/sign-ins/sign-in.entity.js';
import { RefreshReuse } from './refresh-reuse.js';
import { RefreshToken } from './refresh-token.entity.js';
import { CLASSIFY, FIND, ROTATE } from './refresh-tokens.sql.js';
import type { Grant, RefreshDelivery } from './token-grant.entity.js';
import { InvalidRefreshTokenError } from './tokens.errors.js';

/** Refused tokens by address. A valid token is never refused. */
export const FAILED_REFRESHES = defineAttemptLimit({
  name: 'failed-refreshes',
  attempts: 100,
  windowSeconds: 600,
  waits: { firstSeconds: 10, longestSeconds: 300 },
});

export const REFRESH_PREFIX = 'rt_';
const PURPOSE = 'refresh-successor';

export interface IssuedRefreshToken {
  readonly secret: Secret;
  readonly expiresAt: Date;
}

/** A row of ROTATE, CLASSIFY or FIND: the sign-in with its grant. */
type Family = LiveSignIn & Grant;

interface Rotation {
  readonly family: Family;
  readonly refresh: IssuedRefreshToken;
}

interface Presented extends Family {
  email: string;
  usedAt: Date | null;
  successorSealed: Buffer | null;
  /** The expiry of the successor. Null if the successor was used. */
  refreshExpiresAt: Date | null;
}

/** A token with its family. It can be used or expired. */
export interface FoundRefreshToken extends Family {
  usedAt: Date | null;
  createdAt: Date;
  refreshExpiresAt: Date;
}

export const isRefreshToken = (text: string): boolean =>
  text.startsWith(REFRESH_PREFIX) && isRandomSecret(text.slice(REFRESH_PREFIX.length));

/** Refresh tokens: random, used once, each with one successor. */
@Injectable()
export class RefreshTokensService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly reuse: RefreshReuse,
    private readonly attempts: AttemptCounter,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Issues the first token of a family. */
  async issue(manager: EntityManager, signIn: { id: string; expiresAt: Date }): Promise<IssuedRefreshToken> {
    const secret = Secret.random(REFRESH_PREFIX);
    const expiresAt = new Date(Math.min(this.#unusedUntil().getTime(), signIn.expiresAt.getTime()));
    await manager.insert(RefreshToken, {
      id: uuidv7(),
      signInId: signIn.id,
      tokenHash: secret.hash(),
      createdAt: this.clock.now(),
      expiresAt,
    });
    return { secret, expiresAt };
  }

  /** Deletes all tokens of a family and issues a new first one. The caller must hold the lock of the sign-in. */
  async replace(
    manager: EntityManager,
    signIn: { id: string; expiresAt: Date },
  ): Promise<IssuedRefreshToken> {
    await manager.delete(RefreshToken, { signInId: signIn.id });
    const issued = await this.issue(manager, signIn);
    // As in a rotation, the sign-in stays valid as long as its token.
    await manager.update(SignIn, { id: signIn.id }, { idleExpiresAt: issued.expiresAt });
    return issued;
  }

  /**
   * Uses a token. A parallel request with the same token gets the same successor within REFRESH_REUSE_GRACE. A token that
   * was issued for the cookie is refused in a body, because a script could have sent it.
   * @throws InvalidRefreshTokenError
   */
  async rotate(token: string | undefined, presentedIn: RefreshDelivery): Promise<Rotation> {
    if (token === undefined) throw this.#refuse('none or several presented');
    if (!isRefreshToken(token)) throw this.#refuse('malformed');
    const secret = Secret.random(REFRESH_PREFIX);
    // Sealed under the presented token, so that the database alone does not reveal the successor.
    const sealed = seal(secret.reveal(), token, PURPOSE);
    const parameters = [
      sha256(token),
      this.clock.now(),
      sealed,
      this.#unusedUntil(),
      uuidv7(),
      secret.hash(),
      presentedIn,
    ];
    const rotated = await this.dataSource.transaction(async (manager) => {
      const [row]: (Family & { refreshExpiresAt: Date })[] = await manager.query(ROTATE, parameters);
      if (row)
        await this.log.record(manager, 'token.refreshed', { userId: row.userId, credentialId: row.id });
      return row;
    });
    if (!rotated) return this.#repeat(token, presentedIn).catch((error: unknown) => this.#fail(error));
    return { family: rotated, refresh: { secret, expiresAt: rotated.refreshExpiresAt } };
  }

  /** Finds a token without using it. */
  async find(token: string): Promise<FoundRefreshToken | undefined> {
    if (!isRefreshToken(token)) return undefined;
    const [found]: FoundRefreshToken[] = await this.dataSource.query(FIND, [sha256(token)]);
    return found;
  }

  /** Returns the successor of a token that was just used, or refuses the token with the reason. */
  async #repeat(token: string, presentedIn: RefreshDelivery): Promise<Rotation> {
    const [row]: Presented[] = await this.dataSource.query(CLASSIFY, [sha256(token)]);
    const now = this.clock.now();
    if (!row) throw this.#refuse('unknown');
    const over = whyOver(row, now);
    if (over) throw this.#refuse(over, row);
    const misplaced = row.refreshIn !== presentedIn;
    if (!row.usedAt) throw this.#refuse(misplaced ? `made for the ${row.refreshIn}` : 'expired', row);
    const recent = now.getTime() - row.usedAt.getTime() < this.config.REFRESH_REUSE_GRACE;
    if (misplaced || !recent || !row.successorSealed || !row.refreshExpiresAt) {
      await this.reuse.stop(row);
      throw new InvalidRefreshTokenError('reused');
    }
    this.log.happened('token.refreshed', { userId: row.userId, credentialId: row.id, repeated: true });
    const secret = new Secret(unseal(row.successorSealed, [token], PURPOSE));
    return { family: row, refresh: { secret, expiresAt: row.refreshExpiresAt } };
  }

  /** Counts a failure by address. @throws RateLimitedError, or the error itself */
  async #fail(error: unknown): Promise<never> {
    if (error instanceof InvalidRefreshTokenError) await this.attempts.failed(FAILED_REFRESHES);
    throw error;
  }

  #unusedUntil(): Date {
    return this.clock.in(this.config.REFRESH_TOKEN_IDLE_TTL);
  }

  #refuse(reason: string, family?: { id: string; userId: string }): InvalidRefreshTokenError {
    this.log.refused('refresh-token.refused', { reason, userId: family?.userId, credentialId: family?.id });
    return new InvalidRefreshTokenError(reason);
  }
}
