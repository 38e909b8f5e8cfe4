import { Module } from '@nestjs/common';
import { RevocationsModule } from '../../platform/revocations/revocations.module.js';
import { HealthController } from './health.controller.js';
import { Readiness } from './readiness.js';

@Module({
  imports: [RevocationsModule],
  controllers: [HealthController],
  providers: [Readiness],
  exports: [Readiness],
})
export class HealthModule {}
