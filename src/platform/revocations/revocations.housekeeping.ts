import { Injectable, type OnModuleInit } from '@nestjs/common';
import { affected } from '../housekeeping/affected.js';
import { HousekeepingService } from '../housekeeping/housekeeping.service.js';

@Injectable()
export class RevocationsHousekeeping implements OnModuleInit {
  constructor(private readonly housekeeping: HousekeepingService) {}

  onModuleInit(): void {
    this.housekeeping.register({
      name: 'revocations',
      run: (now, limit, manager) =>
        affected(
          manager,
          `DELETE FROM revocations WHERE id IN (SELECT id FROM revocations WHERE expires_at <= $1 LIMIT $2)`,
          [now, limit],
        ),
    });
  }
}
