import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CredentialCaches } from './credential-caches.js';
import { FeedKeeper } from './feed-keeper.js';
import { RevocationFeed } from './revocation-feed.js';
import { RevocationRow } from './revocation.entity.js';
import { RevocationsHousekeeping } from './revocations.housekeeping.js';
import { RevocationsService } from './revocations.service.js';
import { RevokedMemory } from './revoked-memory.js';
import { defineGauge, Instruments } from '../instruments/instruments.js';
import { HousekeepingModule } from '../housekeeping/housekeeping.module.js';
import { Revocations1795300000034 } from '../../../migrations/1795300000034-revocations.js';
import { defineMigrations } from '../database/migrations.js';

defineMigrations(Revocations1795300000034);

const CONNECTED = defineGauge('revocation_feed_connected', '1 if the node receives revocations, otherwise 0');
const TRUSTED = defineGauge(
  'revocation_feed_trusted',
  '1 if the node trusts its memory, 0 if every request queries the database',
);
const LAG = defineGauge(
  'revocation_feed_lag_seconds',
  'The age of the last proof that all revocations have arrived; +Inf without a connection',
);
const SUBJECTS = defineGauge(
  'revocation_feed_subjects',
  'Revoked accounts, sign-ins, tokens and keys in memory',
);
const LIMIT = defineGauge(
  'revocation_feed_subjects_limit',
  'The most subjects in memory; above it, every request queries the database',
);

@Module({
  imports: [TypeOrmModule.forFeature([RevocationRow]), HousekeepingModule],
  providers: [
    RevocationsHousekeeping,
    RevocationsService,
    RevocationFeed,
    CredentialCaches,
    FeedKeeper,
    { provide: RevokedMemory, useFactory: () => new RevokedMemory() },
  ],
  exports: [RevocationsService, RevocationFeed, CredentialCaches],
})
export class RevocationsModule {
  constructor(feed: RevocationFeed, instruments: Instruments) {
    instruments.add(CONNECTED, () => Number(feed.isConnected));
    instruments.add(TRUSTED, () => Number(feed.isCurrent));
    instruments.add(LAG, () => feed.lag / 1000);
    instruments.add(SUBJECTS, () => feed.size);
    instruments.add(LIMIT, () => feed.limit);
  }
}
