import { Injectable, type OnModuleInit } from '@nestjs/common';
import { affected } from '../../platform/housekeeping/affected.js';
import { HousekeepingService } from '../../platform/housekeeping/housekeeping.service.js';

const HOUR_MS = 3_600_000;
/** As long as usage is kept: how a key was used is asked after it was revoked, too. */
const KEPT_MS = 90 * 24 * HOUR_MS;

@Injectable()
export class ApiKeysHousekeeping implements OnModuleInit {
  constructor(private readonly housekeeping: HousekeepingService) {}

  onModuleInit(): void {
    this.housekeeping.register({
      name: 'api-keys',
      everyMs: HOUR_MS,
      // What belongs to a key is deleted with it. The first key of a lineage names it, and waits for the others.
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
