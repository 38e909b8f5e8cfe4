import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { affected } from '../../platform/housekeeping/affected.js';
import { HousekeepingService } from '../../platform/housekeeping/housekeeping.service.js';

/** So that the log can name the sign-in of a late cookie or token, and how it ended. */
const KEPT_MS = 30 * 86_400_000;
const HOUR_MS = 3_600_000;
/** Accounts whose address nobody confirmed, and that nobody signed in to. */
const UNCONFIRMED_KEPT_MS = 7 * 86_400_000;

// Whether somebody signed in is certain only while no sign-in can have been deleted: an older account stays.
const FIND_UNCONFIRMED = `
  SELECT id FROM users u
  WHERE email_verified_at IS NULL AND created_at <= $1 AND created_at > $2
    AND NOT EXISTS (SELECT FROM sign_ins s WHERE s.user_id = u.id)
  LIMIT $3 FOR UPDATE SKIP LOCKED`;

// Looks again, with the rows of the users locked: who signed in meanwhile stays.
const DELETE_UNCONFIRMED = `
  DELETE FROM subjects
  WHERE id = ANY($1::uuid[]) AND NOT EXISTS (SELECT FROM sign_ins s WHERE s.user_id = subjects.id)`;

@Injectable()
export class SignInsHousekeeping implements OnModuleInit {
  constructor(private readonly housekeeping: HousekeepingService) {}

  onModuleInit(): void {
    this.housekeeping.register({
      name: 'sign-ins',
      everyMs: HOUR_MS,
      // What carries a sign-in goes with it. Idle ones wait for their last day: an index on when they became idle would
      // have to be written with every use.
      run: (now, limit, manager) =>
        affected(
          manager,
          `DELETE FROM sign_ins WHERE id IN (
             SELECT id FROM sign_ins WHERE ended_at <= $1 OR expires_at <= $1
             LIMIT $2 FOR UPDATE SKIP LOCKED)`,
          [new Date(now.getTime() - KEPT_MS), limit],
        ),
    });
    this.housekeeping.register({
      name: 'unconfirmed-users',
      everyMs: HOUR_MS,
      run: (now, limit, manager) => this.#deleteUnconfirmed(now, limit, manager),
    });
  }

  async #deleteUnconfirmed(now: Date, limit: number, manager: EntityManager): Promise<number> {
    const before = (ms: number) => new Date(now.getTime() - ms);
    const users: { id: string }[] = await manager.query(FIND_UNCONFIRMED, [
      before(UNCONFIRMED_KEPT_MS),
      before(KEPT_MS),
      limit,
    ]);
    return affected(manager, DELETE_UNCONFIRMED, [users.map(({ id }) => id)]);
  }
}
