import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Logger } from 'pino';
import { DataSource, type EntityManager } from 'typeorm';
import { RouteTable } from '../../auth/route-table.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Secret } from '../../platform/crypto/secret.js';
import { inFixedTime } from '../../platform/lookup/fixed-time.js';
import { LOGGER } from '../../platform/logging/logger.js';
import { MailService } from '../../platform/mail/mail.service.js';
import { RateLimiter } from '../../platform/rate-limits/rate-limiter.js';
import { EmailVerification } from './email-verification.entity.js';
import type { Registration } from './registration.entity.js';
import { User } from './user.entity.js';
import { VerifyPageController } from './verify-page.controller.js';

const LIFETIME_MS = 24 * 3_600_000;
/** Links for one account in an hour, whoever asks. */
const REQUESTED = { requests: 5, windowSeconds: 3600 };
/** Mails in an hour to a person who signs in and has not confirmed the address. */
const REMINDED = { requests: 1, windowSeconds: 3600 };
const WELCOME = 'Welcome. Please confirm that this is your address:';
const REMINDER = 'You can sign in once you have confirmed that this is your address:';
const NEW_PASSWORD = `Somebody, probably you, asked for a new link to confirm this address.
Confirm it and set a new password here:`;

/** A link that is stored, and its mail. It is mailed once the transaction that stored it has committed. */
export interface Link {
  readonly to: string;
  readonly token: Secret;
  readonly why: string;
  /** What to do if it was somebody else. */
  readonly otherwise: string;
}

type Account = Pick<User, 'id' | 'email' | 'createdAt'>;

/** The links that prove that a person reads the mail of an address. An earlier link works until it expires. */
@Injectable()
export class EmailVerificationsService implements BeforeApplicationShutdown {
  readonly #reminders = new Set<Promise<void>>();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly mails: MailService,
    private readonly limiter: RateLimiter,
    private readonly clock: Clock,
    private readonly routes: RouteTable,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Makes a link that confirms a later registration of the account, or else the account itself. */
  async create(
    manager: EntityManager,
    user: Account,
    registration?: Pick<Registration, 'id' | 'createdAt'>,
    why = WELCOME,
  ): Promise<Link> {
    const token = await this.#store(manager, { userId: user.id, registrationId: registration?.id ?? null });
    return { to: user.email, token, why, otherwise: notYours((registration ?? user).createdAt) };
  }

  async mail({ to, token, why, otherwise }: Link): Promise<void> {
    // In the fragment, which no server and no log sees.
    const page = this.routes.pathOf(VerifyPageController, 'page');
    const link = `${this.config.ISSUER}${page}#${token.reveal()}`;
    const text = `${why}\n\n${link}\n\nThe link works once, for 24 hours.\n\n${otherwise}\n`;
    await this.mails.send({ to, subject: 'Confirm your address', text });
  }

  /**
   * Mails a link to an address that is still to be confirmed. Who asks has proved no password, so the link leads to
   * setting a new one. Nobody is told whether there was a mail, and it takes the same time for every address.
   */
  async request(email: string): Promise<void> {
    await inFixedTime(async () => {
      const { manager } = this.dataSource;
      const user = await manager.findOneBy(User, { email, status: 'active' });
      if (!user || user.emailVerifiedAt !== null) return;
      if (!(await this.limiter.allows('verification-mails', user.id, REQUESTED))) return;
      const token = await this.#store(manager, { userId: user.id, setsPassword: true });
      const otherwise = 'If it was not you, delete this mail: nothing changes without the link.';
      await this.mail({ to: email, token, why: NEW_PASSWORD, otherwise });
    });
  }

  /**
   * Mails a person who knows the password, but has not confirmed the address, why they cannot sign in. Not awaited: the
   * answer takes as long as for a wrong password.
   */
  remind(user: Account): void {
    const reminder = this.#remind(user)
      .catch((err: unknown) => this.logger.error({ err }, 'a reminder to confirm an address failed'))
      .finally(() => this.#reminders.delete(reminder));
    this.#reminders.add(reminder);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.#reminders);
  }

  async #remind(user: Account): Promise<void> {
    if (!(await this.limiter.allows('sign-in-reminders', user.id, REMINDED))) return;
    await this.mail(await this.create(this.dataSource.manager, user, undefined, REMINDER));
  }

  async #store(
    manager: EntityManager,
    link: Pick<EmailVerification, 'userId'> & Partial<EmailVerification>,
  ): Promise<Secret> {
    const token = Secret.random();
    const expiresAt = this.clock.in(LIFETIME_MS);
    await manager.insert(EmailVerification, { ...link, tokenHash: token.hash(), expiresAt });
    return token;
  }
}

const notYours = (
  registeredAt: Date,
) => `It confirms the registration of ${registeredAt.toISOString().slice(0, 16).replace('T', ' ')} UTC,
with the password that was chosen then. If it was not you who registered
at that time, do not use the link, and delete this mail. Each registration
of an address has a mail of its own: use only the link of yours.`;
