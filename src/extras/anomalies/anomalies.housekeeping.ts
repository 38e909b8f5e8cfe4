import { Injectable, type OnModuleInit } from '@nestjs/common';
import { affected } from '../../platform/housekeeping/affected.js';
import { HousekeepingService } from '../../platform/housekeeping/housekeeping.service.js';

const HOUR_MS = 3_600_000;

/** Deletes expired codes, and failures that no longer count. Anomalies go with the record of their sign-in. */
@Injectable()
export class AnomaliesHousekeeping implements OnModuleInit {
  constructor(private readonly housekeeping: HousekeepingService) {}

  onModuleInit(): void {
    this.#delete('sign-in-codes', 'sign_in_codes', 'expires_at <= $1');
    this.#delete('sign-in-failures', 'sign_in_failures', `last_at <= $1::timestamptz - interval '1 day'`);
  }

  #delete(name: string, table: string, over: string): void {
    this.housekeeping.register({
      name,
      everyMs: HOUR_MS,
      run: (now, limit, manager) =>
        affected(
          manager,
          `DELETE FROM ${table} WHERE user_id IN (
             SELECT user_id FROM ${table} WHERE ${over} LIMIT $2 FOR UPDATE SKIP LOCKED)`,
          [now, limit],
        ),
    });
  }
}
