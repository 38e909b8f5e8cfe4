import { type OnApplicationBootstrap, type OnApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Logger } from 'pino';
import { DataSource, type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Clock } from '../clock/clock.js';
import { AfterCommit } from '../database/after-commit.js';
import { LOGGER } from '../logging/logger.js';
import { type Mail, MailService } from './mail.service.js';
import { QueuedMail } from './queued-mail.entity.js';

/** Between two attempts at the same mail: as long as it has waited, within these. The least is longer than one takes. */
const RETRY_MS = 5 * 60_000;
const MAX_RETRY_MS = 3_600_000;
/** Who cannot be reached for so long is not told. */
const GIVEN_UP_MS = 3 * 86_400_000;

// One by one: what is claimed and not sent, because this process ends, waits for the next attempt.
const CLAIM = `
  UPDATE queued_mails SET next_attempt_at = $1 + least(greatest($1 - queued_at, $2::interval), $3::interval)
  WHERE id = (
    SELECT id FROM queued_mails WHERE next_attempt_at <= $1
    ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING id, recipient AS "to", subject, text, queued_at AS "queuedAt"`;

/** The recipient was refused by a 5yz, and will be each time (RFC 5321 4.2.1). Whoever refuses us may be mended. */
function isFinal(error: unknown): boolean {
  const { command, responseCode = 0 } = error as { command?: string; responseCode?: number };
  return command === 'RCPT TO' && responseCode >= 500;
}

interface ClaimedMail extends Mail {
  readonly id: string;
  readonly queuedAt: Date;
}

/**
 * Mails that must not be lost, nor sent for what did not happen: written in the transaction that they tell of, sent when
 * it has committed, and again until that succeeds. One that was sent may be sent again, if the process ends just then.
 */
@Injectable()
export class MailQueue implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #more = false;
  #stopped = false;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly mail: MailService,
    private readonly clock: Clock,
    private readonly http: HttpAdapterHost,
    private readonly afterCommit: AfterCommit,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#timer = setInterval(() => void this.deliver(), RETRY_MS).unref();
  }

  /** What is due since before. A command has other things to do. */
  onApplicationBootstrap(): void {
    if (this.http.httpAdapter) void this.deliver();
  }

  /** Puts mails into the queue. @throws outside of a transaction */
  async add(manager: EntityManager, mails: readonly Mail[]): Promise<void> {
    if (!manager.queryRunner?.isTransactionActive)
      throw new Error('a mail needs the transaction that it tells of');
    if (mails.length === 0) return;
    const now = this.clock.now();
    const rows = mails.map(({ to, subject, text }) => ({
      id: uuidv7(),
      recipient: to,
      subject,
      text,
      queuedAt: now,
      nextAttemptAt: now,
    }));
    await manager.insert(QueuedMail, rows);
    this.afterCommit.run(manager, () => void this.deliver());
  }

  /** Sends what is due, until nothing is. Never rejects. */
  deliver(): Promise<void> {
    this.#more = true;
    this.#running ??= this.#deliverAll();
    return this.#running;
  }

  /** Waits for the mail that is under way, before the last hook, in which TypeORM closes the pool. */
  async onApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  async #deliverAll(): Promise<void> {
    while (this.#more && !this.#stopped) {
      this.#more = false;
      try {
        for (let mail; !this.#stopped && (mail = await this.#claim());) await this.#deliver(mail);
      } catch (err) {
        this.logger.error({ err }, 'the queue of mails cannot be read; it is tried again');
      }
    }
    // In the same step as the last look at what there is more: whoever comes now begins anew.
    this.#running = undefined;
  }

  async #claim(): Promise<ClaimedMail | undefined> {
    const [claimed]: [ClaimedMail[]] = await this.dataSource.query(CLAIM, [
      this.clock.now(),
      `${RETRY_MS} milliseconds`,
      `${MAX_RETRY_MS} milliseconds`,
    ]);
    return claimed[0];
  }

  async #deliver({ id, queuedAt, ...mail }: ClaimedMail): Promise<void> {
    const error = await this.mail.deliver(mail).then(
      () => undefined,
      (error: unknown) => error ?? new Error('no reason'),
    );
    if (error !== undefined) {
      if (!isFinal(error) && this.clock.now().getTime() - queuedAt.getTime() < GIVEN_UP_MS) return;
      this.logger.error({ id, subject: mail.subject }, 'a mail is given up');
    }
    await this.dataSource.manager.delete(QueuedMail, { id });
  }
}
