import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { affected } from '../../platform/housekeeping/affected.js';
import { HousekeepingService } from '../../platform/housekeeping/housekeeping.service.js';

/** Kept for a day after the sign-in ends, so that the log can name the family of a late replay. */
const FAMILY_KEPT_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Used tokens are kept as long as their family, because they reveal replays. */
@Injectable()
export class RefreshTokensHousekeeping implements OnModuleInit {
  constructor(
    private readonly housekeeping: HousekeepingService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.housekeeping.register({
      name: 'refresh-tokens',
      everyMs: HOUR_MS,
      run: (now, limit, manager) =>
        affected(
          manager,
          `DELETE FROM refresh_tokens WHERE id IN (
             SELECT t.id FROM refresh_tokens t JOIN sign_ins s ON s.id = t.sign_in_id
             WHERE s.ended_at <= $1 OR s.expires_at <= $1 LIMIT $2 FOR UPDATE OF t SKIP LOCKED)`,
          [new Date(now.getTime() - FAMILY_KEPT_MS), limit],
        ),
    });
    this.housekeeping.register({
      name: 'refresh-successors',
      run: (now, limit, manager) =>
        affected(
          manager,
          `UPDATE refresh_tokens SET successor_sealed = NULL WHERE id IN (
             SELECT id FROM refresh_tokens WHERE successor_sealed IS NOT NULL AND used_at <= $1
             LIMIT $2 FOR UPDATE SKIP LOCKED)`,
          [new Date(now.getTime() - this.config.REFRESH_REUSE_GRACE), limit],
        ),
    });
  }
}
