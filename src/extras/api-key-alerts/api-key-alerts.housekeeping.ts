import { Injectable, type OnModuleInit } from '@nestjs/common';
import { affected } from '../../platform/housekeeping/affected.js';
import { HousekeepingService } from '../../platform/housekeeping/housekeeping.service.js';
import { Anomalies, MAIL_TASK } from './anomalies.js';
import { VolumeWatch } from './volume-watch.js';
import { Warnings } from './warnings.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How long networks without use, and anomalies, are kept. After this time, a network counts as new again. */
const KEPT_MS = 90 * DAY_MS;

@Injectable()
export class ApiKeyAlertsHousekeeping implements OnModuleInit {
  constructor(
    private readonly housekeeping: HousekeepingService,
    private readonly volume: VolumeWatch,
    private readonly anomalies: Anomalies,
    private readonly warnings: Warnings,
  ) {}

  /** The order matters: anomalies are mailed in the run that finds them. */
  onModuleInit(): void {
    this.housekeeping.register({
      name: 'api-key-volume',
      run: (now, _limit, manager) => this.volume.look(now, manager),
    });
    this.housekeeping.register({
      name: MAIL_TASK,
      run: (now, limit, manager) => this.anomalies.mail(now, limit, manager),
    });
    this.housekeeping.register({
      name: 'api-key-warning-mails',
      run: (now, _limit, manager) => this.warnings.mail(now, manager),
    });
    this.#forget('api-key-anomalies', 'api_key_anomalies', 'lineage_id, kind, about', 'noticed_at');
    this.#forget('api-key-networks', 'api_key_networks', 'lineage_id, network', 'last_seen_at');
  }

  #forget(name: string, table: string, key: string, time: string): void {
    this.housekeeping.register({
      name,
      everyMs: HOUR_MS,
      run: (now, limit, manager) =>
        affected(
          manager,
          `DELETE FROM ${table} WHERE (${key}) IN (
             SELECT ${key} FROM ${table} WHERE ${time} <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)`,
          [new Date(now.getTime() - KEPT_MS), limit],
        ),
    });
  }
}
