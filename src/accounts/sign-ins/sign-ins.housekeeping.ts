import { Injectable, type OnModuleInit } from '@nestjs/common';
import { affected } from '../../platform/housekeeping/affected.js';
import { HousekeepingService } from '../../platform/housekeeping/housekeeping.service.js';

/** Ended sign-ins are kept, so that the log can name the sign-in of a late cookie or token and how it ended. */
const KEPT_MS = 30 * 86_400_000;
const HOUR_MS = 3_600_000;

@Injectable()
export class SignInsHousekeeping implements OnModuleInit {
  constructor(private readonly housekeeping: HousekeepingService) {}

  onModuleInit(): void {
    this.housekeeping.register({
      name: 'sign-ins',
      everyMs: HOUR_MS,
      // The secrets of its carrier are deleted with a sign-in. Idle sign-ins stay until they expire, because an index on
      // `idle_expires_at` would be written with every use.
      run: (now, limit, manager) =>
        affected(
          manager,
          `DELETE FROM sign_ins WHERE id IN (
             SELECT id FROM sign_ins WHERE ended_at <= $1 OR expires_at <= $1
             LIMIT $2 FOR UPDATE SKIP LOCKED)`,
          [new Date(now.getTime() - KEPT_MS), limit],
        ),
    });
  }
}
