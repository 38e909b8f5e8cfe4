import { Module } from '@nestjs/common';
import { OrdersModule } from '../orders/orders.module.js';
import { ReportsController } from './reports.controller.js';
import { ReportsService } from './reports.service.js';
import { defineScopes } from '../../auth/scopes.js';
import { defineTag } from '../../web/openapi/tags.js';

defineTag('reports', 'An example that checks the sign-in behind a JWT');

declare module '../../auth/scopes.js' {
  interface Scopes {
    'reports:read': true;
  }
}

defineScopes({
  'reports:read': { about: 'Read reports about your orders' },
});

/** Reads the table of the room `orders`. */
@Module({ imports: [OrdersModule], controllers: [ReportsController], providers: [ReportsService] })
export class ReportsModule {}
