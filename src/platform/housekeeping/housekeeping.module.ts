import { Global, Module } from '@nestjs/common';
import { HousekeepingService } from './housekeeping.service.js';

@Global()
@Module({ providers: [HousekeepingService], exports: [HousekeepingService] })
export class HousekeepingModule {}
