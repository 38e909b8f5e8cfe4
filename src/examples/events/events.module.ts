import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Event } from './event.entity.js';
import { EventsController } from './events.controller.js';
import { EventsService } from './events.service.js';
import { defineScopes } from '../../auth/scopes.js';
import { Events1795300000033 } from '../../../migrations/1795300000033-events.js';
import { defineMigrations } from '../../platform/database/migrations.js';
import { defineTag } from '../../web/openapi/tags.js';

defineTag('events', 'An example for machines only');

defineMigrations(Events1795300000033);

declare module '../../auth/scopes.js' {
  interface Scopes {
    'events:write': true;
  }
}

defineScopes({
  'events:write': { about: 'Send events' },
});

@Module({
  imports: [TypeOrmModule.forFeature([Event])],
  controllers: [EventsController],
  providers: [EventsService],
})
export class EventsModule {}
