import { Module, type OnModuleInit } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { HousekeepingService } from '../housekeeping/housekeeping.service.js';
import { SigningKey } from './signing-key.entity.js';
import { SigningKeyRotation } from './signing-keys.rotation.js';
import { SigningKeysService } from './signing-keys.service.js';

const HOUR_MS = 3_600_000;

@Module({
  imports: [TypeOrmModule.forFeature([SigningKey])],
  providers: [SigningKeysService, SigningKeyRotation],
  exports: [SigningKeysService, SigningKeyRotation],
})
export class SigningKeysModule implements OnModuleInit {
  constructor(
    private readonly housekeeping: HousekeepingService,
    private readonly rotation: SigningKeyRotation,
  ) {}

  onModuleInit(): void {
    this.housekeeping.register({
      name: 'signing-key-rotation',
      everyMs: HOUR_MS,
      run: (_now, _limit, manager) => this.rotation.rotateIfDue(manager),
    });
    this.housekeeping.register({
      name: 'signing-keys',
      run: (now, limit, manager) => this.rotation.deleteForgotten(now, limit, manager),
    });
  }
}
