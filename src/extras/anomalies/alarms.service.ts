import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { User } from '../../accounts/users/user.entity.js';
import { Clock } from '../../platform/clock/clock.js';
import { Secret } from '../../platform/crypto/secret.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { MailKinds, type QueuedRequest } from '../../platform/mail/mail-kinds.js';
import { MailQueue } from '../../platform/mail/mail-queue.js';
import type { Mail } from '../../platform/mail/mail.service.js';
import { AttemptCounter } from '../../platform/rate-limits/attempt-counter.js';
import { defineAttemptLimit } from '../../platform/rate-limits/attempt-limit.js';
import { deviceOf } from '../../accounts/sign-ins/sign-in-view.js';
import { ALARM_SCORE, type Assessment, type Source } from './assessment.js';
import { Anomaly, AnomalyLink } from './anomaly.entity.js';
import { NotMePageController } from './not-me-page.controller.js';
import { PageLinks } from '../../accounts/users/page-links.js';

const ALARM_MAIL = 'anomaly-alarm';
const LINK_LIFETIME_MS = 72 * 3_600_000;
/** Further anomalies of the day are recorded, but not mailed. */
const MAILS = defineAttemptLimit({ name: 'anomaly-mails', attempts: 10, windowSeconds: 86_400 });

export type Occasion = Pick<Anomaly, 'userId' | 'signInId' | 'occasion'> & Source;

/** Records anomalies, and asks the person by mail: was this you? */
@Injectable()
export class Alarms implements OnModuleInit {
  constructor(
    private readonly mails: MailQueue,
    private readonly kinds: MailKinds,
    private readonly counter: AttemptCounter,
    private readonly clock: Clock,
    private readonly links: PageLinks,
    private readonly log: SecurityLog,
  ) {}

  onModuleInit(): void {
    this.kinds.register(ALARM_MAIL, (manager, request) => this.#write(manager, request));
  }

  /** Records an anomaly in the given transaction. Each sign-in has at most one of each occasion. */
  async raise(
    manager: EntityManager,
    { userId, signInId, occasion, ip, userAgent }: Occasion,
    { signals, score }: Assessment,
  ): Promise<void> {
    const id = uuidv7();
    const { raw } = await manager
      .createQueryBuilder()
      .insert()
      .into(Anomaly)
      .values({
        id,
        userId,
        signInId,
        occasion,
        signals: [...signals],
        score,
        detectedAt: this.clock.now(),
        ip,
        device: deviceOf(userAgent),
      })
      .orIgnore()
      .returning('id')
      .execute();
    if ((raw as unknown[]).length === 0) return;
    await this.log.record(manager, 'anomaly.detected', {
      userId,
      credentialId: signInId,
      occasion,
      signals,
      score,
    });
    if (score < ALARM_SCORE || !(await this.counter.allows({ limit: MAILS, subject: userId }, manager)))
      return;
    const { email } = await manager.findOneOrFail(User, { select: { email: true }, where: { id: userId } });
    await this.mails.add(manager, [{ to: email, kind: ALARM_MAIL, about: id }]);
  }

  async #write(manager: EntityManager, { to, about }: QueuedRequest): Promise<Mail | undefined> {
    const anomaly = await manager.findOneBy(Anomaly, { id: about! });
    if (!anomaly) return undefined;
    const token = Secret.random();
    const expiresAt = this.clock.in(LINK_LIFETIME_MS);
    await manager.insert(AnomalyLink, { tokenHash: token.hash(), anomalyId: anomaly.id, expiresAt });
    return { to, subject: 'Was this you?', text: textOf(anomaly, this.links.to(NotMePageController, token)) };
  }
}

const WHAT = {
  'sign-in': 'Somebody, probably you, signed in to your account.',
  use: 'A sign-in of your account is used from elsewhere.',
};

/** Lines of at most 76 characters, so that the link stays whole. */
const textOf = ({ occasion, detectedAt, ip, device }: Anomaly, link: string) => `${WHAT[occasion]}

  Time:    ${detectedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC
  Address: ${ip ?? 'unknown'}
  Device:  ${device ?? 'unknown'}

If it was you, there is nothing to do. If it was not you, end this sign-in.
You then get a mail that lets you set a new password:

${link}

The link works once and expires after 72 hours.
`;
