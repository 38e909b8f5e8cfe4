import { Injectable, type OnModuleInit } from '@nestjs/common';
import { affected } from '../housekeeping/affected.js';
import { HousekeepingService } from '../housekeeping/housekeeping.service.js';

@Injectable()
export class AttemptCountsHousekeeping implements OnModuleInit {
  constructor(private readonly housekeeping: HousekeepingService) {}

  onModuleInit(): void {
    this.housekeeping.register({
      name: 'attempt-counts',
      run: (now, limit, manager) =>
        affected(
          manager,
          `DELETE FROM attempt_counts WHERE subject IN (
             SELECT subject FROM attempt_counts WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)`,
          [now, limit],
        ),
    });
  }
}
