import { Injectable, type OnModuleInit } from '@nestjs/common';
import { affected } from '../../platform/housekeeping/affected.js';
import { HousekeepingService } from '../../platform/housekeeping/housekeeping.service.js';

const HOUR_MS = 3_600_000;
/** As long as usage counts are kept, because owners can read the usage of a revoked key. */
const KEPT_MS = 90 * 24 * HOUR_MS;

@Injectable()
export class ApiKeysHousekeeping implements OnModuleInit {
  constructor(private readonly housekeeping: HousekeepingService) {}

  onModuleInit(): void {
    this.housekeeping.register({
      name: 'api-keys',
      everyMs: HOUR_MS,
      // The first key of a lineage has the lineage's id, so it is deleted last.
      run: (now, limit, manager) =>
        affected(
          manager,
          `DELETE FROM api_keys WHERE id IN (
             SELECT id FROM api_keys k
             WHERE (revoked_at <= $1 OR (revoked_at IS NULL AND expires_at <= $1))
               AND NOT EXISTS (SELECT FROM api_keys n WHERE n.lineage_id = k.id AND n.id <> k.id)
             LIMIT $2 FOR UPDATE SKIP LOCKED)`,
          [new Date(now.getTime() - KEPT_MS), limit],
        ),
    });
  }
}
