import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, MoreThan } from 'typeorm';
import { User } from '../../accounts/users/user.entity.js';
import { defineCredentialKind } from '../../auth/credential-kinds.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { equalSecrets, randomDigits } from '../../platform/crypto/secret.js';
import { seal, unseal } from '../../platform/crypto/sealing.js';
import { MailKinds, type QueuedRequest } from '../../platform/mail/mail-kinds.js';
import { MailQueue } from '../../platform/mail/mail-queue.js';
import type { Mail } from '../../platform/mail/mail.service.js';
import { AttemptCounter } from '../../platform/rate-limits/attempt-counter.js';
import { defineAttemptLimit } from '../../platform/rate-limits/attempt-limit.js';
import { SignInCode } from './anomaly.entity.js';

const CODE_MAIL = 'sign-in-code';
const PURPOSE = 'sign-in-code';
/** 26 bits. ASVS 6.5.4 requires 20. */
export const CODE_DIGITS = 8;
/** ASVS 6.5.5 allows 10 minutes. The `mfaToken` expires earlier. */
const LIFETIME_MS = 10 * 60_000;
/** Only who knows the password can cause these mails. */
const MAILS = defineAttemptLimit({ name: 'sign-in-code-mails', attempts: 10, windowSeconds: 3_600 });

/** Codes by mail, which verify an unusual sign-in. A new code replaces the one before. */
@Injectable()
export class EmailCodes implements OnModuleInit {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly mails: MailQueue,
    private readonly kinds: MailKinds,
    private readonly counter: AttemptCounter,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.kinds.register(CODE_MAIL, (manager, request) => this.#write(manager, request));
  }

  /** @throws RateLimitedError */
  async send({ id, email }: User): Promise<void> {
    await this.counter.count({ limit: MAILS, subject: id, hidden: true }, { userId: id });
    await this.dataSource.transaction((manager) =>
      this.mails.add(manager, [{ to: email, kind: CODE_MAIL, about: id }]),
    );
  }

  /** Uses a code up. The caller must hold the lock of the user's row. Returns why the code is refused, or undefined. */
  async use(manager: EntityManager, userId: string, code: string): Promise<string | undefined> {
    const stored = await manager.findOneBy(SignInCode, { userId });
    if (!stored) return 'no code was mailed';
    if (stored.expiresAt <= this.clock.now()) return 'code expired';
    if (!equalSecrets(this.#open(stored), code)) return 'wrong code';
    await manager.delete(SignInCode, { userId });
    return undefined;
  }

  /** The queue stores no code: it is made when the mail is sent. */
  async #write(manager: EntityManager, { to, about, queuedAt }: QueuedRequest): Promise<Mail | undefined> {
    // The sign-in that waits for the code has expired.
    if (queuedAt <= this.clock.in(-LIFETIME_MS)) return undefined;
    const userId = about!;
    const user = await manager.findOne(User, {
      where: { id: userId, email: to, status: 'active' },
      lock: { mode: 'for_no_key_update' },
    });
    if (!user) return undefined;
    // A mail that is sent again repeats its code.
    const stored = await manager.findOneBy(SignInCode, {
      userId,
      expiresAt: MoreThan(new Date(queuedAt.getTime() + LIFETIME_MS)),
    });
    const code = stored ? this.#open(stored) : await this.#create(manager, userId);
    return { to, subject: 'Your sign-in code', text: textWith(code) };
  }

  async #create(manager: EntityManager, userId: string): Promise<string> {
    const code = randomDigits(CODE_DIGITS);
    const codeSealed = seal(code, this.config.ENCRYPTION_SECRETS[0]!, PURPOSE, userId);
    await manager.upsert(SignInCode, { userId, codeSealed, expiresAt: this.clock.in(LIFETIME_MS) }, [
      'userId',
    ]);
    return code;
  }

  #open({ codeSealed, userId }: SignInCode): string {
    return unseal(codeSealed, this.config.ENCRYPTION_SECRETS, PURPOSE, userId);
  }
}

const textWith = (code: string) => `Somebody, probably you, signs in to your account in an unusual way.
Confirm it with this code:

  ${code}

The code works once and expires after 10 minutes. Do not pass it on.

If it was not you, somebody knows your password. Change it at once.
`;

defineCredentialKind({
  name: 'sign-in code from a mail',
  recognises: (text) => text.length === CODE_DIGITS && /^\d+$/.test(text),
  examine: () => ({
    faults: [],
    unchecked: 'whether it is the newest code of the person, and whether it has expired',
  }),
});
