import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AttemptLimits } from './attempt-limits.js';
import { KnownSource } from './known-source.entity.js';
import { KnownSources } from './known-sources.js';
import { KnownSourcesHousekeeping } from './known-sources.housekeeping.js';
import { definePersonalData } from '../subjects/personal-data.js';
import { UsersModule } from '../users/users.module.js';
import { HousekeepingModule } from '../../platform/housekeeping/housekeeping.module.js';
import { RateLimitsModule } from '../../platform/rate-limits/rate-limits.module.js';
import { AttemptLimits1795300000061 } from '../../../migrations/1795300000061-attempt-limits.js';
import { defineMigrations } from '../../platform/database/migrations.js';
import { staysRestored } from '../../platform/restored/on-restored.js';

defineMigrations(AttemptLimits1795300000061);

staysRestored('known_sources', 'a known device is no credential');

definePersonalData(
  'knownSources',
  `SELECT kind, expires_at AS "expiresAt" FROM known_sources WHERE user_id = $1 ORDER BY expires_at`,
);

@Module({
  imports: [TypeOrmModule.forFeature([KnownSource]), UsersModule, HousekeepingModule, RateLimitsModule],
  providers: [AttemptLimits, KnownSources, KnownSourcesHousekeeping],
  exports: [AttemptLimits, KnownSources],
})
export class AttemptLimitsModule {}
