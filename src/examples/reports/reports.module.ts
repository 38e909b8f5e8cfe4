import { Module } from '@nestjs/common';
import { OrdersModule } from '../orders/orders.module.js';
import { ReportsController } from './reports.controller.js';
import { ReportsService } from './reports.service.js';
import { defineScopes } from '../../auth/scopes.js';
import { defineTag } from '../../web/openapi/tags.js';

defineTag('reports', 'An example that looks behind a token');

declare module '../../auth/scopes.js' {
  interface Scopes {
    'reports:read': true;
  }
}

defineScopes({
  'reports:read': { about: 'Read reports about your orders' },
});

/** The reports read the table of the orders. */
@Module({ imports: [OrdersModule], controllers: [ReportsController], providers: [ReportsService] })
export class ReportsModule {}
