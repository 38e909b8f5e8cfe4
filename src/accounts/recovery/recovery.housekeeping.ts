import { Injectable, type OnModuleInit } from '@nestjs/common';
import { affected } from '../../platform/housekeeping/affected.js';
import { HousekeepingService } from '../../platform/housekeeping/housekeeping.service.js';

/** Longer than a link of the change can work, also if the mail with it was delayed by days. */
const CHANGES_KEPT = `interval '14 days'`;
const HOUR_MS = 3_600_000;

/** Deletes links that have expired, and changes that can no longer be undone. */
@Injectable()
export class RecoveryHousekeeping implements OnModuleInit {
  constructor(private readonly housekeeping: HousekeepingService) {}

  onModuleInit(): void {
    this.#delete('password-resets', 'password_resets', 'token_hash', 'expires_at <= $1');
    this.#delete('email-changes', 'email_changes', 'id', `requested_at <= $1::timestamptz - ${CHANGES_KEPT}`);
  }

  #delete(name: string, table: string, key: string, over: string): void {
    this.housekeeping.register({
      name,
      everyMs: HOUR_MS,
      run: (now, limit, manager) =>
        affected(
          manager,
          `DELETE FROM ${table} WHERE ${key} IN (
             SELECT ${key} FROM ${table} WHERE ${over} LIMIT $2 FOR UPDATE SKIP LOCKED)`,
          [now, limit],
        ),
    });
  }
}
