import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { LOGGER } from './logger.js';
import { requestContext } from './request-context.js';

/** Ids, names and reasons. Never a secret, nor what a secret could be guessed from. */
export interface EventFacts {
  /** The user that it is about. */
  userId?: string | undefined;
  credentialId?: string | undefined;
  mode?: string;
  reason?: string | undefined;
  [fact: string]: string | number | boolean | readonly string[] | undefined;
}

/** One line per authentication event, with its precise reason (ASVS 16.3.1 to 16.3.3). */
@Injectable()
export class SecurityLog {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  /** Something that was asked for happened. */
  happened(event: string, facts: EventFacts): void {
    this.logger.info({ event, ip: requestContext()?.ip, ...facts }, event);
  }

  /** Something that somebody should look at came to light. */
  noticed(event: string, facts: EventFacts): void {
    this.logger.warn({ event, ip: requestContext()?.ip, ...facts }, event);
  }

  /** Something was refused. */
  refused(event: string, facts: EventFacts): void {
    this.logger.warn({ event, ip: requestContext()?.ip, ...facts }, event);
  }
}
