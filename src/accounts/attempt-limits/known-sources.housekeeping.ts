import { Injectable, type OnModuleInit } from '@nestjs/common';
import { affected } from '../../platform/housekeeping/affected.js';
import { HousekeepingService } from '../../platform/housekeeping/housekeeping.service.js';

const HOUR_MS = 3_600_000;

@Injectable()
export class KnownSourcesHousekeeping implements OnModuleInit {
  constructor(private readonly housekeeping: HousekeepingService) {}

  onModuleInit(): void {
    this.housekeeping.register({
      name: 'known-sources',
      everyMs: HOUR_MS,
      run: (now, limit, manager) =>
        affected(
          manager,
          `DELETE FROM known_sources WHERE (source, user_id) IN (
             SELECT source, user_id FROM known_sources WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)`,
          [now, limit],
        ),
    });
  }
}
