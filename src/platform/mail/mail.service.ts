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
  /** One email address. */
  readonly to: string;
  readonly subject: string;
  /** Lines of at most 76 ASCII characters, so that no encoding breaks a link. Never logged, because it can have a one-time link. */
  readonly text: string;
}

const SMTP_TIMEOUT_MS = 10_000;

/** Sends mails by SMTP, or writes them to the outbox if SMTP_URL is not set. */
@Injectable()
export class MailService implements OnApplicationShutdown {
  readonly #smtp: Transporter | undefined;
  readonly #toMessage = createTransport({ streamTransport: true, buffer: true, newline: 'unix' });
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

  /** Sends a mail and waits until it was handed on. Only for the queue. @throws the failure, which is also logged */
  async deliver(mail: Mail): Promise<void> {
    // An object, so that nothing in the text is parsed as a second address.
    const to = { name: '', address: mail.to };
    const { subject, text } = mail;
    const options: SendMailOptions = { from: this.config.MAIL_FROM, to, subject, text };
    try {
      await (this.#smtp ? this.#smtp.sendMail(options) : this.#write(options));
    } catch (err) {
      this.logger.error({ err, subject }, 'mail delivery failed');
      throw err;
    }
  }

  onApplicationShutdown(): void {
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
