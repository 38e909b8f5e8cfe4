import { Injectable, type OnModuleInit } from '@nestjs/common';
import { affected } from '../../platform/housekeeping/affected.js';
import { HousekeepingService } from '../../platform/housekeeping/housekeeping.service.js';

@Injectable()
export class MfaHousekeeping implements OnModuleInit {
  constructor(private readonly housekeeping: HousekeepingService) {}

  onModuleInit(): void {
    this.#deleteExpired('mfa-challenges', 'mfa_challenges', 'token_hash');
    this.#deleteExpired('passkey-challenges', 'passkey_challenges', 'challenge_hash');
  }

  #deleteExpired(name: string, table: string, key: string): void {
    this.housekeeping.register({
      name,
      run: (now, limit, manager) =>
        affected(
          manager,
          `DELETE FROM ${table} WHERE ${key} IN (
             SELECT ${key} FROM ${table} WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)`,
          [now, limit],
        ),
    });
  }
}
