import { Injectable, type OnModuleInit } from '@nestjs/common';
import { affected } from '../../platform/housekeeping/affected.js';
import { HousekeepingService } from '../../platform/housekeeping/housekeeping.service.js';

const KEPT = `interval '7 days'`;
const HOUR_MS = 3_600_000;

/** Deletes unconfirmed registrations. An account stays if a person has signed in to it, or while one of its links works. */
@Injectable()
export class RegistrationsHousekeeping implements OnModuleInit {
  constructor(private readonly housekeeping: HousekeepingService) {}

  onModuleInit(): void {
    this.#delete(
      'unconfirmed-accounts',
      `DELETE FROM subjects WHERE id IN (
         SELECT id FROM users u WHERE unused_since <= $1::timestamptz - ${KEPT}
           AND NOT EXISTS (SELECT FROM email_verifications v WHERE v.user_id = u.id AND v.expires_at > $1)
         LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    );
    this.#delete(
      'registrations',
      `DELETE FROM registrations WHERE id IN (
         SELECT id FROM registrations WHERE created_at <= $1::timestamptz - ${KEPT} LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    );
  }

  #delete(name: string, sql: string): void {
    this.housekeeping.register({
      name,
      everyMs: HOUR_MS,
      run: (now, limit, manager) => affected(manager, sql, [now, limit]),
    });
  }
}
