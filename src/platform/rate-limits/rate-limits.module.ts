import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AttemptCount } from './attempt-count.entity.js';
import { AttemptCounter } from './attempt-counter.js';
import { AttemptCountsHousekeeping } from './attempt-counts.housekeeping.js';
import { RateLimiter } from './rate-limiter.js';
import { AttemptCounts1795300000060 } from '../../../migrations/1795300000060-attempt-counts.js';
import { defineMigrations } from '../database/migrations.js';
import { staysRestored } from '../restored/on-restored.js';
import { HousekeepingModule } from '../housekeeping/housekeeping.module.js';

defineMigrations(AttemptCounts1795300000060);

staysRestored('attempt_counts', 'counts are no credentials');

@Module({
  imports: [TypeOrmModule.forFeature([AttemptCount]), HousekeepingModule],
  providers: [AttemptCounter, AttemptCountsHousekeeping, RateLimiter],
  exports: [AttemptCounter, RateLimiter],
})
export class RateLimitsModule {}
