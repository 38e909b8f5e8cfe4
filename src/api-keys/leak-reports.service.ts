import { setTimeout } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { SecurityLog } from '../logging/security-log.js';
import type { ApiKey } from './api-key.entity.js';
import { keyFault } from './api-key.format.js';
import { ApiKeyNotices, describeKey } from './api-key.notices.js';
import { ApiKeysService } from './api-keys.service.js';

const SUBJECT = 'An API key of yours has leaked';
/** Longer than it takes to revoke a key: how long an answer takes tells as little as what it says. */
export const ANSWER_AFTER_MS = 250;

/** Takes keys back that somebody found where they should not be. */
@Injectable()
export class LeakReportsService {
  constructor(
    private readonly keys: ApiKeysService,
    private readonly notices: ApiKeyNotices,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Revokes the key on every node before this resolves, if it is one that is not revoked yet, and mails its owner.
   * Whoever has a key may end it: that is less than it may do otherwise.
   * @param found what may be a key, with white space around it
   */
  async report(found: string): Promise<void> {
    const answerAt = setTimeout(ANSWER_AFTER_MS);
    await this.#revoke(found.trim());
    await answerAt;
  }

  async #revoke(text: string): Promise<void> {
    const fault = keyFault(text, this.config.KEY_ENVIRONMENT);
    const key = fault === undefined ? await this.keys.revokeLeaked(text) : undefined;
    if (key) await this.notices.send(key.ownerId, SUBJECT, mailAbout(key));
    else this.log.refused('api-key.leak-report-ignored', { reason: fault ?? 'unknown or revoked key' });
  }
}

const mailAbout = (
  key: ApiKey,
) => `Somebody has found this API key of yours where it should not be, and told us:

  ${describeKey(key)}

It was revoked, and all tokens that it was exchanged for: whoever uses it is
refused from now on, which includes you. Make another one, keep it out of what
you publish, and look at what was done with the old one:

  GET /v1/api-keys/${key.id}/usage
`;
