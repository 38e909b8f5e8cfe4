import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { seal, unseal } from '../../platform/crypto/sealing.js';
import { isRandomSecret, Secret, sha256 } from '../../platform/crypto/secret.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { type LiveSignIn, whyOver } from '../../accounts/sign-ins/live-sign-in.js';
import { SignIn } from '../../accounts/sign-ins/sign-in.entity.js';
import { RefreshReuse } from './refresh-reuse.js';
import { RefreshToken } from './refresh-token.entity.js';
import { CLASSIFY, FIND, ROTATE } from './refresh-tokens.sql.js';
import type { Grant, RefreshDelivery } from './token-grant.entity.js';
import { InvalidRefreshTokenError } from './tokens.errors.js';

const PREFIX = 'rt_';
const PURPOSE = 'refresh-successor';

export interface IssuedRefreshToken {
  readonly secret: Secret;
  readonly expiresAt: Date;
}

/** A row of ROTATE or CLASSIFY: the sign-in with its grant. */
type Family = LiveSignIn & Grant;

interface Rotation {
  readonly family: Family;
  readonly refresh: IssuedRefreshToken;
}

interface Presented extends Family {
  email: string;
  usedAt: Date | null;
  successorSealed: Buffer | null;
  /** Of the successor, while it is unused. */
  refreshExpiresAt: Date | null;
}

/** A token as it lies there, used or not, with its family. */
export interface FoundRefreshToken extends Family {
  usedAt: Date | null;
  createdAt: Date;
  refreshExpiresAt: Date;
}

/** Whether a text can be a refresh token of ours. */
const isRefreshToken = (text: string) => text.startsWith(PREFIX) && isRandomSecret(text.slice(PREFIX.length));

/** Refresh tokens: random, used once, each followed by one successor. */
@Injectable()
export class RefreshTokensService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly reuse: RefreshReuse,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** The first token of a family. */
  async issue(manager: EntityManager, signIn: { id: string; expiresAt: Date }): Promise<IssuedRefreshToken> {
    const secret = Secret.random(PREFIX);
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

  /** Forgets all tokens of a family and begins it anew. The caller holds the row of the sign-in. */
  async replace(
    manager: EntityManager,
    signIn: { id: string; expiresAt: Date },
  ): Promise<IssuedRefreshToken> {
    await manager.delete(RefreshToken, { signInId: signIn.id });
    const issued = await this.issue(manager, signIn);
    // As a rotation does: the sign-in is not idle before its token is.
    await manager.update(SignIn, { id: signIn.id }, { idleExpiresAt: issued.expiresAt });
    return issued;
  }

  /**
   * Uses a token. Who loses a race for it within REFRESH_REUSE_GRACE gets the successor that the winner got. One that was
   * made for the cookie is refused elsewhere, where a script would have it.
   * @throws InvalidRefreshTokenError
   */
  async rotate(token: string | undefined, presentedIn: RefreshDelivery): Promise<Rotation> {
    if (token === undefined) throw this.#refuse('none or several presented');
    if (!isRefreshToken(token)) throw this.#refuse('malformed');
    const secret = Secret.random(PREFIX);
    // Under the presented token: only who holds it opens the successor, not who holds the database.
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
    const [rotated]: (Family & { refreshExpiresAt: Date })[] = await this.dataSource.query(
      ROTATE,
      parameters,
    );
    if (!rotated) return this.#repeat(token, presentedIn);
    this.log.happened('token.refreshed', { userId: rotated.userId, credentialId: rotated.id });
    return { family: rotated, refresh: { secret, expiresAt: rotated.refreshExpiresAt } };
  }

  /** Looks at a token without using it. What was granted to its family never changes. */
  async find(token: string): Promise<FoundRefreshToken | undefined> {
    if (!isRefreshToken(token)) return undefined;
    const [found]: FoundRefreshToken[] = await this.dataSource.query(FIND, [sha256(token)]);
    return found;
  }

  /** The token could not be used: the successor again, or the reason why not. */
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

  #unusedUntil(): Date {
    return this.clock.in(this.config.REFRESH_TOKEN_IDLE_TTL);
  }

  #refuse(reason: string, family?: { id: string; userId: string }): InvalidRefreshTokenError {
    this.log.refused('refresh-token.refused', { reason, userId: family?.userId, credentialId: family?.id });
    return new InvalidRefreshTokenError(reason);
  }
}
