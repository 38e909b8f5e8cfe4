import { Module } from '@nestjs/common';
import { ReportsController } from './reports.controller.js';
import { ReportsService } from './reports.service.js';
import { defineScopes } from '../../auth/scopes.js';

declare module '../../auth/scopes.js' {
  interface Scopes {
    'reports:read': true;
  }
}

defineScopes({
  'reports:read': { about: 'Read reports about your orders' },
});

@Module({ controllers: [ReportsController], providers: [ReportsService] })
export class ReportsModule {}
