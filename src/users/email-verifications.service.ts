import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { RouteTable } from '../auth/route-table.js';
import { Clock } from '../clock/clock.js';
import { CONFIG, type Config } from '../config/config.js';
import { isRandomSecret, Secret, sha256 } from '../crypto/secret.js';
import { SecurityLog } from '../logging/security-log.js';
import { MailService } from '../mail/mail.service.js';
import { EmailVerification } from './email-verification.entity.js';
import { User } from './user.entity.js';
import { VerifyPageController } from './verify-page.controller.js';
import { InvalidOneTimeTokenError } from './users.errors.js';

const LIFETIME_MS = 24 * 3_600_000;

/** Proves that a person reads the mail of the address they registered. */
@Injectable()
export class EmailVerificationsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly mail: MailService,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
    private readonly routes: RouteTable,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Mails a link that proves the address. Older links of the user end. */
  async send(
    user: Pick<User, 'id' | 'email'>,
    why = 'Welcome. Please confirm that this is your address:',
  ): Promise<void> {
    const token = Secret.random();
    await this.dataSource.query(
      `INSERT INTO email_verifications (token_hash, user_id, expires_at) VALUES ($1, $2, $3)
       ON CONFLICT (user_id) DO UPDATE SET token_hash = excluded.token_hash, expires_at = excluded.expires_at`,
      [token.hash(), user.id, this.clock.in(LIFETIME_MS)],
    );
    await this.mail.send({
      to: user.email,
      subject: 'Confirm your address',
      // In the fragment, which no server and no log sees.
      text: `${why}\n\n${this.config.ISSUER}${this.routes.pathOf(VerifyPageController, 'page')}#${token.reveal()}\n\nThe link works once, for 24 hours.\n`,
    });
  }

  /** Sends a new link, if the address is one that is still to be verified. Nobody is told whether it is. */
  async request(email: string): Promise<void> {
    const user = await this.dataSource.manager.findOneBy(User, { email });
    if (user && user.emailVerifiedAt === null && user.status === 'active') await this.send(user);
  }

  /** @throws InvalidOneTimeTokenError for one that is unknown, used or expired */
  async confirm(token: string): Promise<void> {
    if (!isRandomSecret(token)) throw this.#refuse('malformed');
    const now = this.clock.now();
    const verification = await this.dataSource.transaction(async (manager) => {
      const [used] = await manager.query(
        `DELETE FROM email_verifications WHERE token_hash = $1 RETURNING user_id AS "userId", expires_at AS "expiresAt"`,
        [sha256(token)],
      );
      const found: Pick<EmailVerification, 'userId' | 'expiresAt'> | undefined = used[0];
      if (found && found.expiresAt > now)
        await manager.query(
          `UPDATE users SET email_verified_at = coalesce(email_verified_at, $2) WHERE id = $1`,
          [found.userId, now],
        );
      return found;
    });
    if (!verification) throw this.#refuse('unknown or used');
    if (verification.expiresAt <= now) throw this.#refuse('expired', verification.userId);
    this.log.happened('user.email-verified', { userId: verification.userId });
  }

  #refuse(reason: string, userId?: string): InvalidOneTimeTokenError {
    this.log.refused('email-verification.refused', { reason, userId });
    return new InvalidOneTimeTokenError(reason);
  }
}
