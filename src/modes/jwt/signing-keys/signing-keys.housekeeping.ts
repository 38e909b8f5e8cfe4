import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HousekeepingService } from '../../../platform/housekeeping/housekeeping.service.js';
import { SigningKeyRotation } from './signing-keys.rotation.js';

const HOUR_MS = 3_600_000;

@Injectable()
export class SigningKeysHousekeeping implements OnModuleInit {
  constructor(
    private readonly housekeeping: HousekeepingService,
    private readonly rotation: SigningKeyRotation,
  ) {}

  onModuleInit(): void {
    this.housekeeping.register({
      name: 'signing-key-rotation',
      everyMs: HOUR_MS,
      run: (now, _limit, manager) => this.rotation.rotateIfDue(now, manager),
    });
    this.housekeeping.register({
      name: 'signing-keys',
      run: (now, limit, manager) => this.rotation.deleteForgotten(now, limit, manager),
    });
  }
}
