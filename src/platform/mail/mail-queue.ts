import { type OnApplicationBootstrap, type OnApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Logger } from 'pino';
import { DataSource, type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Clock } from '../clock/clock.js';
import { AfterCommit } from '../database/after-commit.js';
import { LOGGER } from '../logging/logger.js';
import { outsideRequests } from '../logging/request-context.js';
import { MailKinds, type MailRequest, type QueuedRequest } from './mail-kinds.js';
import { type Mail, MailService } from './mail.service.js';
import { QueuedMail } from './queued-mail.entity.js';

/** The delay before the next attempt is the age of the mail, within these limits. One attempt takes less than RETRY_MS. */
const RETRY_MS = 5 * 60_000;
const MAX_RETRY_MS = 3_600_000;
/** Delivery stops after three days. */
const GIVEN_UP_MS = 3 * 86_400_000;

// Claims one mail. If this process ends before it is sent, the mail waits for its next attempt.
const CLAIM = `
  UPDATE queued_mails SET next_attempt_at = $1 + least(greatest($1 - queued_at, $2::interval), $3::interval)
  WHERE id = (
    SELECT id FROM queued_mails WHERE next_attempt_at <= $1
    ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING id, recipient AS "to", kind, about, subject, text, queued_at AS "queuedAt"`;
/** Mails sent at the same time by one node, so that a slow mail server does not hold up all others. */
const AT_ONCE = 4;

/** Whether the recipient was refused permanently (RFC 5321 4.2.1). Other failures can be temporary. */
function isFinal(error: unknown): boolean {
  const { command, responseCode = 0 } = error as { command?: string; responseCode?: number };
  return command === 'RCPT TO' && responseCode >= 500;
}

/** It has the fields of a mail, or those of a request. */
type ClaimedMail = (({ readonly kind: null } & Mail) | MailRequest) & {
  readonly id: string;
  readonly queuedAt: Date;
};

/**
 * A queue for mails about a change. A mail is stored in the transaction of the change, sent after the commit, and retried
 * until it succeeds. If the process ends during delivery, the mail can be sent twice.
 */
@Injectable()
export class MailQueue implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #timer: NodeJS.Timeout;
  readonly #workers = new Map<symbol, Promise<void>>();
  #more = false;
  #stopped = false;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly mail: MailService,
    private readonly kinds: MailKinds,
    private readonly clock: Clock,
    private readonly http: HttpAdapterHost,
    private readonly afterCommit: AfterCommit,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#timer = setInterval(() => void this.deliver(), RETRY_MS).unref();
  }

  /** Delivers due mails after a restart. A command does not. */
  onApplicationBootstrap(): void {
    if (this.http.httpAdapter) void this.deliver();
  }

  /** Adds mails to the queue. @throws outside a transaction */
  async add(manager: EntityManager, mails: readonly (Mail | MailRequest)[]): Promise<void> {
    if (!manager.queryRunner?.isTransactionActive)
      throw new Error('a mail must be added in the transaction of its change');
    if (mails.length === 0) return;
    const now = this.clock.now();
    const rows = mails.map(({ to, ...content }) => ({
      id: uuidv7(),
      recipient: to,
      ...content,
      queuedAt: now,
      nextAttemptAt: now,
    }));
    await manager.insert(QueuedMail, rows);
    this.afterCommit.run(manager, () => void this.deliver());
  }

  /** Sends all due mails. Never rejects. */
  async deliver(): Promise<void> {
    this.#more = true;
    if (!this.#stopped && this.#workers.size < AT_ONCE) {
      const worker = Symbol('worker');
      // It also sends mails of other requests.
      this.#workers.set(
        worker,
        outsideRequests(() => this.#work(worker)),
      );
    }
    await Promise.all(this.#workers.values());
  }

  /** Waits for the current mails. TypeORM closes the pool in a later hook. */
  async onApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await Promise.all(this.#workers.values());
  }

  async #work(worker: symbol): Promise<void> {
    while (this.#more && !this.#stopped) {
      this.#more = false;
      try {
        for (let mail; !this.#stopped && (mail = await this.#claim());) await this.#deliver(mail);
      } catch (err) {
        this.logger.error({ err }, 'the mail queue cannot be read and will be retried');
      }
    }
    // No await since the last check of #more, so that no call of deliver() is missed.
    this.#workers.delete(worker);
  }

  async #claim(): Promise<ClaimedMail | undefined> {
    const [claimed]: [ClaimedMail[]] = await this.dataSource.query(CLAIM, [
      this.clock.now(),
      `${RETRY_MS} milliseconds`,
      `${MAX_RETRY_MS} milliseconds`,
    ]);
    return claimed[0];
  }

  async #deliver(claimed: ClaimedMail): Promise<void> {
    const { id, kind, queuedAt } = claimed;
    const error = await this.#send(claimed).then(
      () => undefined,
      (error: unknown) => error ?? new Error('no reason'),
    );
    if (error !== undefined) {
      if (!isFinal(error) && this.clock.now().getTime() - queuedAt.getTime() < GIVEN_UP_MS) return;
      this.logger.error(
        { id, ...(kind === null ? { subject: claimed.subject } : { kind }) },
        'mail delivery stopped',
      );
    }
    await this.dataSource.manager.delete(QueuedMail, { id });
  }

  async #send(claimed: ClaimedMail): Promise<void> {
    const mail = claimed.kind === null ? claimed : await this.#write(claimed);
    if (mail) await this.mail.deliver(mail);
  }

  async #write(request: QueuedRequest): Promise<Mail | undefined> {
    try {
      return await this.kinds.write(request);
    } catch (err) {
      this.logger.error({ err, kind: request.kind }, 'a mail could not be written');
      throw err;
    }
  }
}
