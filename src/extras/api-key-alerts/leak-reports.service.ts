import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, IsNull } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { sha256 } from '../../platform/crypto/secret.js';
import { inFixedTime } from '../../platform/lookup/fixed-time.js';
import { type EventFacts, SecurityLog } from '../../platform/logging/security-log.js';
import { RevocationsService } from '../../platform/revocations/revocations.service.js';
import { Subject } from '../../accounts/subjects/subject.entity.js';
import { ApiKey } from '../../modes/api-keys/api-key.entity.js';
import { keyFault } from '../../modes/api-keys/api-key.format.js';
import { describeKey } from '../../modes/api-keys/describe-key.js';
import { ApiKeyNotices } from './api-key.notices.js';

const SUBJECT = 'An API key has leaked';

/** Revokes keys that were reported as leaked. */
@Injectable()
export class LeakReportsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly revocations: RevocationsService,
    private readonly notices: ApiKeyNotices,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Revokes a working key and mails its owner. No authentication is needed: the holder of a key can already use it.
   * @param found a text that can be a key, with whitespace around it
   */
  async report(found: string): Promise<void> {
    const text = found.trim();
    const fault = keyFault(text, this.config.API_KEY_ENVIRONMENT);
    await inFixedTime(async () => {
      const leaked =
        fault === undefined
          ? await this.dataSource.transaction((manager) => this.#revoke(manager, text))
          : undefined;
      if (leaked) this.log.noticed('api-key.leaked', leaked);
      else this.log.refused('api-key.leak-report-ignored', { reason: fault ?? 'unknown or revoked key' });
    });
  }

  /** Returns the facts of a revoked key for the log. */
  async #revoke(manager: EntityManager, text: string): Promise<EventFacts | undefined> {
    const key = await manager.findOne(ApiKey, {
      where: { keyHash: sha256(text), revokedAt: IsNull() },
      lock: { mode: 'for_no_key_update' },
    });
    if (!key) return undefined;
    await manager.update(ApiKey, { id: key.id }, { revokedAt: this.clock.now() });
    await this.revocations.announce(manager, [{ kind: 'api-key', subject: key.id }]);
    const { kind } = await manager.findOneByOrFail(Subject, { id: key.ownerId });
    const isService = kind === 'service-account';
    await this.notices.add(manager, key.ownerId, SUBJECT, mailAbout(key, isService));
    return { [isService ? 'serviceAccountId' : 'userId']: key.ownerId, credentialId: key.id };
  }
}

const mailAbout = (
  { ownerId, id, ...key }: ApiKey,
  isService: boolean,
) => `Somebody reported that ${isService ? 'this API key of a service account' : 'your API key'} has leaked:

  ${describeKey(key)}

The key and all its tokens were revoked. Requests with this key are now
refused. Create a new key and store it safely. To check how the leaked
key was used, call:

  GET ${isService ? '/v1/admin/service-accounts/:account/api-keys' : '/v1/api-keys'}/:id/usage
${isService ? `  :account is ${ownerId}\n` : ''}  :id is ${id}
`;
