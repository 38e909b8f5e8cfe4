import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { z } from 'zod';
import { Invoices1795400000001 } from '../../migrations/1795400000001-invoices.js';
import { SubjectsModule } from '../accounts/subjects/subjects.module.js';
import { defineScopes } from '../auth/scopes.js';
import { defineSettings, type SettingsOf } from '../platform/config/settings.js';
import { defineMigrations } from '../platform/database/migrations.js';
import { defineTag } from '../web/openapi/tags.js';
import { AccountingController } from './accounting.controller.js';
import { Invoice } from './invoice.entity.js';
import { InvoicesController } from './invoices.controller.js';
import { InvoicesService } from './invoices.service.js';
import { PaymentsController } from './payments.controller.js';

defineTag('invoices', 'Invoices of a user or a service account');

defineMigrations(Invoices1795400000001);

const settings = defineSettings(
  { INVOICE_CURRENCY: z.string().length(3).default('EUR'), PAYMENTS_SECRET: z.string().min(32).optional() },
  { requiredInProduction: ['INVOICE_CURRENCY', 'PAYMENTS_SECRET'] },
);

declare module '../platform/config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

declare module '../auth/scopes.js' {
  interface Scopes {
    'invoices:read': true;
    'invoices:write': true;
    'accounting:read': true;
  }
}

defineScopes({
  'invoices:read': { about: 'Read your invoices' },
  'invoices:write': { about: 'Create and change your invoices' },
  'accounting:read': { about: 'Read all invoices', role: 'accountant' },
});

@Module({
  imports: [TypeOrmModule.forFeature([Invoice]), SubjectsModule],
  controllers: [InvoicesController, AccountingController, PaymentsController],
  providers: [InvoicesService],
})
export class InvoicesModule {}
