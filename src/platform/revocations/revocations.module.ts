import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { FeedKeeper } from './feed-keeper.js';
import { RevocationFeed } from './revocation-feed.js';
import { RevocationRow } from './revocation.entity.js';
import { RevocationsHousekeeping } from './revocations.housekeeping.js';
import { RevocationsService } from './revocations.service.js';
import { RevokedMemory } from './revoked-memory.js';
import { HousekeepingModule } from '../housekeeping/housekeeping.module.js';
import { Revocations1795300000034 } from '../../../migrations/1795300000034-revocations.js';
import { defineMigrations } from '../database/migrations.js';

defineMigrations(Revocations1795300000034);

@Module({
  imports: [TypeOrmModule.forFeature([RevocationRow]), HousekeepingModule],
  providers: [
    RevocationsHousekeeping,
    RevocationsService,
    RevocationFeed,
    FeedKeeper,
    { provide: RevokedMemory, useFactory: () => new RevokedMemory() },
  ],
  exports: [RevocationsService, RevocationFeed],
})
export class RevocationsModule {}
