import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { KnownSources } from '../../accounts/attempt-limits/known-sources.js';
import { RESET_MAIL } from '../../accounts/recovery/password-reset-links.service.js';
import { SignInsService } from '../../accounts/sign-ins/sign-ins.service.js';
import { User } from '../../accounts/users/user.entity.js';
import { InvalidOneTimeTokenError } from '../../accounts/users/users.errors.js';
import { Clock } from '../../platform/clock/clock.js';
import { isRandomSecret, sha256 } from '../../platform/crypto/secret.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { MailQueue } from '../../platform/mail/mail-queue.js';
import { AnomalyLink } from './anomaly.entity.js';
import { REPORTED } from './sign-in-history.js';

interface Reported {
  userId: string;
  signInId: string;
  expiresAt: Date;
  anomalyId: string;
}

/** Ends a sign-in that its person did not make, with the token of the mailed link. */
@Injectable()
export class AnomalyReports {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly signIns: SignInsService,
    private readonly sources: KnownSources,
    private readonly mails: MailQueue,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
  ) {}

  /** @throws InvalidOneTimeTokenError */
  async report(token: string): Promise<void> {
    const tokenHash = isRandomSecret(token) ? sha256(token) : undefined;
    const found = tokenHash && (await this.#find(tokenHash));
    if (!tokenHash || !found) throw this.#refuse('unknown or used');
    const { userId, signInId, anomalyId, expiresAt } = found;
    if (expiresAt <= this.clock.now()) throw this.#refuse('expired', userId);
    await this.dataSource.transaction(async (manager) => {
      const user = await manager.findOne(User, {
        where: { id: userId },
        lock: { mode: 'for_no_key_update' },
      });
      // All links of the anomaly: of two requests, the second finds none.
      const { affected } = await manager.delete(AnomalyLink, { anomalyId });
      if (!user || !affected) throw this.#refuse('used meanwhile', userId);
      await this.signIns.endThese(manager, [signInId], REPORTED);
      await this.sources.forgetAll(manager, userId);
      await this.mails.add(manager, [{ to: user.email, kind: RESET_MAIL }]);
      await this.log.record(manager, 'anomaly.reported', { userId, credentialId: signInId });
    });
  }

  async #find(tokenHash: Buffer): Promise<Reported | undefined> {
    const [found]: Reported[] = await this.dataSource.query(
      `SELECT a.user_id AS "userId", a.sign_in_id AS "signInId", a.id AS "anomalyId", l.expires_at AS "expiresAt"
       FROM anomaly_links l JOIN anomalies a ON a.id = l.anomaly_id WHERE l.token_hash = $1`,
      [tokenHash],
    );
    return found;
  }

  #refuse(reason: string, userId?: string): InvalidOneTimeTokenError {
    this.log.refused('anomaly-report.refused', { reason, userId });
    return new InvalidOneTimeTokenError(reason);
  }
}
