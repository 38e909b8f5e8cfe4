import { Injectable, type OnModuleInit } from '@nestjs/common';
import { affected } from '../../platform/housekeeping/affected.js';
import { HousekeepingService } from '../../platform/housekeeping/housekeeping.service.js';
import { KEPT_DAYS } from './api-key-usage.service.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Longer than any process keeps trying to write a batch. */
const WRITER_KEPT_DAYS = 30;

@Injectable()
export class ApiKeyUsageHousekeeping implements OnModuleInit {
  constructor(private readonly housekeeping: HousekeepingService) {}

  onModuleInit(): void {
    this.housekeeping.register({
      name: 'api-key-usage',
      everyMs: HOUR_MS,
      run: (now, limit, manager) =>
        affected(
          manager,
          `DELETE FROM api_key_usage WHERE (api_key_id, hour, status_class) IN (
             SELECT api_key_id, hour, status_class FROM api_key_usage WHERE hour < $1 LIMIT $2)`,
          [new Date(now.getTime() - KEPT_DAYS * DAY_MS), limit],
        ),
    });
    this.housekeeping.register({
      name: 'usage-writers',
      everyMs: DAY_MS,
      run: (now, limit, manager) =>
        affected(
          manager,
          `DELETE FROM usage_writers WHERE id IN (SELECT id FROM usage_writers WHERE written_at < $1 LIMIT $2)`,
          [new Date(now.getTime() - WRITER_KEPT_DAYS * DAY_MS), limit],
        ),
    });
  }
}
