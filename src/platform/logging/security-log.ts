import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import type { EntityManager } from 'typeorm';
import { Counts, defineCounter, Instruments } from '../instruments/instruments.js';
import { LOGGER } from './logger.js';
import { requestContext } from './request-context.js';

/** Ids, names and reasons, but no secret and no part of one. */
export interface EventFacts {
  /** The user concerned. */
  userId?: string | undefined;
  /** The acting person, if it is not the user concerned. */
  by?: string | undefined;
  credentialId?: string | undefined;
  mode?: string;
  reason?: string | undefined;
  [fact: string]: string | number | boolean | readonly string[] | undefined;
}

export interface SecurityEvent {
  /** Such as `password.changed`. */
  readonly type: string;
  readonly result: 'allowed' | 'noticed' | 'refused';
  readonly facts: EventFacts;
}

/** Keeps security events, besides the log. */
export interface EventRecorder {
  /** Keeps an event in the transaction of its change. If this rejects, the change is rolled back. */
  record(manager: EntityManager, event: SecurityEvent): Promise<void>;
  /** Keeps an event that has no transaction. Must not throw. */
  keep(event: SecurityEvent): void;
}

const EVENTS = defineCounter('security_events_total', 'Events of the security log, by their type', 'event');

export const AFTER_COMMIT = Symbol('after-commit');

/** Implemented by the database. */
export interface CommitHook {
  run(manager: EntityManager, work: () => void): void;
}

/** Logs authentication events with their precise reasons (ASVS 16.3.1 to 16.3.3). */
@Injectable()
export class SecurityLog {
  readonly #recorders: EventRecorder[] = [];
  readonly #events = new Counts();

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(AFTER_COMMIT) private readonly afterCommit: CommitHook,
    instruments: Instruments,
  ) {
    instruments.addAll(EVENTS, () => this.#events.by('event'));
  }

  register(recorder: EventRecorder): void {
    this.#recorders.push(recorder);
  }

  /**
   * Records a change in its transaction, and logs it after the commit.
   *
   * @example
   * ```ts
   * await this.log.record(manager, 'invoice.deleted', { userId, invoiceId });
   * ```
   */
  async record(manager: EntityManager, type: string, facts: EventFacts): Promise<void> {
    const event: SecurityEvent = { type, result: 'allowed', facts };
    for (const recorder of this.#recorders) await recorder.record(manager, event);
    this.afterCommit.run(manager, () => this.#write(event));
  }

  /** A request succeeded that changed nothing, or whose change is already committed. */
  happened(type: string, facts: EventFacts): void {
    this.#keep({ type, result: 'allowed', facts });
  }

  /** Something suspicious was detected. */
  noticed(type: string, facts: EventFacts): void {
    this.#keep({ type, result: 'noticed', facts });
  }

  /** A request was refused. */
  refused(type: string, facts: EventFacts): void {
    this.#keep({ type, result: 'refused', facts });
  }

  #keep(event: SecurityEvent): void {
    for (const recorder of this.#recorders) recorder.keep(event);
    this.#write(event);
  }

  #write({ type, result, facts }: SecurityEvent): void {
    this.#events.add(type);
    const entry = { event: type, ip: requestContext()?.ip, ...facts };
    if (result === 'allowed') this.logger.info(entry, type);
    else this.logger.warn(entry, type);
  }
}
