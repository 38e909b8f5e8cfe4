import { type BeforeApplicationShutdown, Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Logger } from 'pino';
import { DataSource, type EntityManager, IsNull } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Secret, sha256Hex } from '../../platform/crypto/secret.js';
import { inFixedTime } from '../../platform/lookup/fixed-time.js';
import { LOGGER } from '../../platform/logging/logger.js';
import { MailKinds, type QueuedRequest } from '../../platform/mail/mail-kinds.js';
import { MailQueue } from '../../platform/mail/mail-queue.js';
import type { Mail } from '../../platform/mail/mail.service.js';
import { RateLimiter } from '../../platform/rate-limits/rate-limiter.js';
import { EmailVerification } from './email-verification.entity.js';
import { Registration } from './registration.entity.js';
import { User } from './user.entity.js';
import { VerifyPageController } from './verify-page.controller.js';
import { PageLinks } from './page-links.js';

const LIFETIME_MS = 24 * 3_600_000;
/** Requested links per account and hour, from all clients together. */
const REQUESTED = { requests: 5, windowSeconds: 3600 };
/** Mails per account and hour about a sign-in with an unconfirmed address. */
const REMINDED = { requests: 1, windowSeconds: 3600 };
const WELCOME = 'Welcome. Please confirm that this is your email address:';
const REMINDER = 'Before you can sign in, please confirm that this is your email address:';
const NEW_PASSWORD = `Somebody, probably you, requested a new link to confirm this email address.
Confirm it and set a new password here:`;

const NOT_REQUESTED =
  'If you did not request this, ignore this mail. Nothing changes unless you use the link.';

/** Kinds of mails with a link. */
const KINDS = {
  registration: 'registration',
  laterRegistration: 'later-registration',
  reminder: 'sign-in-reminder',
  requested: 'email-verification',
};

/** Mails the links that confirm an address. Earlier links work until they expire. */
@Injectable()
export class EmailVerificationsService implements OnModuleInit, BeforeApplicationShutdown {
  readonly #reminders = new Set<Promise<void>>();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly mails: MailQueue,
    private readonly kinds: MailKinds,
    private readonly limiter: RateLimiter,
    private readonly clock: Clock,
    private readonly links: PageLinks,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    const { registration, laterRegistration, reminder, requested } = KINDS;
    this.kinds.register(registration, (manager, { about }) => this.#writeFirst(manager, about!, WELCOME));
    this.kinds.register(reminder, (manager, { about }) => this.#writeFirst(manager, about!, REMINDER));
    this.kinds.register(laterRegistration, (manager, { about }) => this.#writeLater(manager, about!));
    this.kinds.register(requested, (manager, request) => this.#writeRequested(manager, request));
  }

  /** Mails a link that confirms `registration`, or the account itself if there is none. */
  async mail(
    manager: EntityManager,
    { id, email }: Pick<User, 'id' | 'email'>,
    registration?: Pick<Registration, 'id'>,
  ): Promise<void> {
    const kind = registration ? KINDS.laterRegistration : KINDS.registration;
    await this.mails.add(manager, [{ to: email, kind, about: registration?.id ?? id }]);
  }

  /**
   * Mails a link to an unconfirmed address. The request proves no password, so the link sets a new one. The request does
   * the same work for every address: only the queue looks for the account (ASVS 6.3.8).
   */
  async request(email: string): Promise<void> {
    await inFixedTime(async () => {
      if (!(await this.limiter.allows('verification-mails', sha256Hex(email), REQUESTED))) return;
      await this.dataSource.transaction((manager) =>
        this.mails.add(manager, [{ to: email, kind: KINDS.requested }]),
      );
    });
  }

  /**
   * Tells a person with the right password that the address must be confirmed first. Not awaited, so that the answer
   * takes as long as for a wrong password.
   */
  remind(user: Pick<User, 'id' | 'email'>): void {
    const reminder = this.#remind(user)
      .catch((err: unknown) =>
        this.logger.error({ err }, 'could not send the reminder to confirm an address'),
      )
      .finally(() => this.#reminders.delete(reminder));
    this.#reminders.add(reminder);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.#reminders);
  }

  async #remind({ id, email }: Pick<User, 'id' | 'email'>): Promise<void> {
    if (!(await this.limiter.allows('sign-in-reminders', id, REMINDED))) return;
    await this.dataSource.transaction((manager) =>
      this.mails.add(manager, [{ to: email, kind: KINDS.reminder, about: id }]),
    );
  }

  async #writeFirst(manager: EntityManager, userId: string, why: string): Promise<Mail | undefined> {
    const user = await manager.findOneBy(User, { id: userId, status: 'active', emailVerifiedAt: IsNull() });
    if (!user) return undefined;
    const link = await this.#link(manager, { userId });
    return mailWith(link, { to: user.email, why, otherwise: notYours(user.createdAt) });
  }

  async #writeLater(manager: EntityManager, registrationId: string): Promise<Mail | undefined> {
    const registration = await manager.findOne(Registration, {
      where: { id: registrationId },
      relations: { user: true },
    });
    if (!registration) return undefined;
    const { userId, user, createdAt } = registration;
    const link = await this.#link(manager, { userId, registrationId });
    return mailWith(link, { to: user.email, why: WELCOME, otherwise: notYours(createdAt) });
  }

  async #writeRequested(manager: EntityManager, { to }: QueuedRequest): Promise<Mail | undefined> {
    const user = await manager.findOneBy(User, { email: to, status: 'active', emailVerifiedAt: IsNull() });
    if (!user) return undefined;
    const link = await this.#link(manager, { userId: user.id, setsPassword: true });
    return mailWith(link, { to, why: NEW_PASSWORD, otherwise: NOT_REQUESTED });
  }

  /** Stores a link and returns it. */
  async #link(
    manager: EntityManager,
    fields: Pick<EmailVerification, 'userId'> & Partial<EmailVerification>,
  ): Promise<string> {
    const token = Secret.random();
    const expiresAt = this.clock.in(LIFETIME_MS);
    await manager.insert(EmailVerification, { ...fields, tokenHash: token.hash(), expiresAt });
    return this.links.to(VerifyPageController, token);
  }
}

interface Content {
  readonly to: string;
  readonly why: string;
  /** What to do if another person caused this mail. */
  readonly otherwise: string;
}

const mailWith = (link: string, { to, why, otherwise }: Content): Mail => ({
  to,
  subject: 'Confirm your email address',
  text: `${why}\n\n${link}\n\nThe link works once and expires after 24 hours.\n\n${otherwise}\n`,
});

const notYours = (
  registeredAt: Date,
) => `It confirms the registration of ${registeredAt.toISOString().slice(0, 16).replace('T', ' ')} UTC,
with the password that was chosen at that time. If you did not register
at that time, do not use the link and delete this mail. Each registration
has its own mail: use only the link from your own registration.`;
