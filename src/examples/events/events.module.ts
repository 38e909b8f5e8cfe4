import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SubjectsModule } from '../../accounts/subjects/subjects.module.js';
import { Event } from './event.entity.js';
import { EventsController } from './events.controller.js';
import { EventsService } from './events.service.js';
import { defineScopes } from '../../auth/scopes.js';
import { Events1795300000033 } from '../../../migrations/1795300000033-events.js';
import { definePersonalData } from '../../accounts/subjects/personal-data.js';
import { defineMigrations } from '../../platform/database/migrations.js';
import { defineTag } from '../../web/openapi/tags.js';

defineTag('events', 'An example for machines only');

defineMigrations(Events1795300000033);

definePersonalData(
  'events',
  `SELECT id, api_key_id AS "apiKeyId", type, data, created_at AS "createdAt"
   FROM events WHERE owner_id = $1 ORDER BY id`,
);

declare module '../../auth/scopes.js' {
  interface Scopes {
    'events:write': true;
  }
}

defineScopes({
  'events:write': { about: 'Send events' },
});

@Module({
  imports: [TypeOrmModule.forFeature([Event]), SubjectsModule],
  controllers: [EventsController],
  providers: [EventsService],
})
export class EventsModule {}
