import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type OnApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { createTransport, type SendMailOptions, type Transporter } from 'nodemailer';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { CONFIG, type Config } from '../config/config.js';
import { LOGGER } from '../logging/logger.js';
import { z } from 'zod';
import { urlWith } from '../config/formats.js';
import { defineSettings, type SettingsOf } from '../config/settings.js';

const settings = defineSettings(
  {
    SMTP_URL: urlWith('smtp', 'smtps')
      .refine((text) => !URL.canParse(text) || new URL(text).hostname !== '', 'must name a host')
      .optional(),
    MAIL_FROM: z.string().min(3).default('Auth modes <no-reply@example.com>'),
  },
  { requiredInProduction: ['SMTP_URL'] },
);

declare module '../config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

export interface Mail {
  /** One address. */
  readonly to: string;
  readonly subject: string;
  /** Lines of at most 76 characters, of ASCII where there is a link, so that it stays whole in the file. Never logged: it may hold a one-time link. */
  readonly text: string;
}

const SMTP_TIMEOUT_MS = 10_000;

/** To SMTP where SMTP_URL is set, otherwise to files in the outbox, with one line in the log that names the file. */
@Injectable()
export class MailService implements OnApplicationShutdown {
  readonly #smtp: Transporter | undefined;
  readonly #toMessage = createTransport({ streamTransport: true, buffer: true, newline: 'unix' });
  readonly #underWay = new Set<Promise<void>>();
  readonly #outbox: string;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#outbox = resolve(config.DATA_DIRECTORY, 'outbox');
    this.#smtp = config.SMTP_URL
      ? createTransport({
          url: config.SMTP_URL,
          connectionTimeout: SMTP_TIMEOUT_MS,
          greetingTimeout: SMTP_TIMEOUT_MS,
          socketTimeout: SMTP_TIMEOUT_MS,
        })
      : undefined;
  }

  /**
   * Sends a mail. A file is there when this resolves; SMTP goes on behind it, since how long it takes would tell whether
   * there was a mail to send. A failure is logged, and never fails what the mail is about.
   */
  async send(mail: Mail): Promise<void> {
    const work = this.deliver(mail)
      .catch(() => undefined)
      .finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
    if (!this.#smtp) await work;
  }

  /** Sends a mail, and resolves when it is handed on: for who can wait. @throws what went wrong, which is logged */
  async deliver(mail: Mail): Promise<void> {
    // As an object, so that no character of the address is read as a second one.
    const to = { name: '', address: mail.to };
    const { subject, text } = mail;
    const options: SendMailOptions = { from: this.config.MAIL_FROM, to, subject, text };
    try {
      await (this.#smtp ? this.#smtp.sendMail(options) : this.#write(options));
    } catch (err) {
      this.logger.error({ err, subject }, 'a mail could not be sent');
      throw err;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.#underWay);
    this.#smtp?.close();
  }

  async #write(options: SendMailOptions): Promise<void> {
    const { message } = await this.#toMessage.sendMail(options);
    const file = join(this.#outbox, `${uuidv7()}.eml`);
    await mkdir(this.#outbox, { recursive: true, mode: 0o700 });
    await writeFile(`${file}.part`, message as Buffer, { mode: 0o600 });
    await rename(`${file}.part`, file);
    this.logger.info({ file, subject: options.subject }, 'mail written to a file');
  }
}
