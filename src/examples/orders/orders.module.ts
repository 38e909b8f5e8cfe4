import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SubjectsModule } from '../../accounts/subjects/subjects.module.js';
import { Order } from './order.entity.js';
import { OrdersController } from './orders.controller.js';
import { OrdersService } from './orders.service.js';
import { defineScopes } from '../../auth/scopes.js';
import { Orders1795300000032 } from '../../../migrations/1795300000032-orders.js';
import { definePersonalData } from '../../accounts/subjects/personal-data.js';
import { defineMigrations } from '../../platform/database/migrations.js';
import { defineTag } from '../../web/openapi/tags.js';

defineTag('orders', 'An example resource for all modes');

defineMigrations(Orders1795300000032);

definePersonalData(
  'orders',
  'SELECT id, item, quantity, created_at AS "createdAt" FROM orders WHERE owner_id = $1 ORDER BY id',
);

declare module '../../auth/scopes.js' {
  interface Scopes {
    'orders:read': true;
    'orders:write': true;
  }
}

defineScopes({
  'orders:read': { about: 'Read your orders' },
  'orders:write': { about: 'Place and cancel your orders' },
});

@Module({
  imports: [TypeOrmModule.forFeature([Order]), SubjectsModule],
  controllers: [OrdersController],
  providers: [OrdersService],
})
export class OrdersModule {}
