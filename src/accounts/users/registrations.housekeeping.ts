import { Injectable, type OnModuleInit } from '@nestjs/common';
import { affected } from '../../platform/housekeeping/affected.js';
import { HousekeepingService } from '../../platform/housekeeping/housekeeping.service.js';

const KEPT_MS = 7 * 86_400_000;
const HOUR_MS = 3_600_000;

/** Registrations that nobody confirmed. An account that somebody signed in to stays. */
@Injectable()
export class RegistrationsHousekeeping implements OnModuleInit {
  constructor(private readonly housekeeping: HousekeepingService) {}

  onModuleInit(): void {
    this.#delete(
      'unconfirmed-accounts',
      `DELETE FROM subjects WHERE id IN (
         SELECT id FROM users WHERE unused_since <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    );
    this.#delete(
      'registrations',
      `DELETE FROM registrations WHERE id IN (
         SELECT id FROM registrations WHERE created_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    );
  }

  #delete(name: string, sql: string): void {
    this.housekeeping.register({
      name,
      everyMs: HOUR_MS,
      run: (now, limit, manager) => affected(manager, sql, [new Date(now.getTime() - KEPT_MS), limit]),
    });
  }
}
