import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Authenticated } from '../auth/authenticated.decorator.js';
import { ListQuery, pageQuery, toPage } from '../web/pagination/page.js';
import { InvoicePage, showInvoice } from './invoices.schemas.js';
import { InvoicesService } from './invoices.service.js';

/** For users with the role `accountant`: only this role gives the scope. */
@ApiTags('invoices')
@Controller('v1/accounting/invoices')
export class AccountingController {
  constructor(private readonly invoices: InvoicesService) {}

  @Get()
  @Authenticated({ modes: 'person', scopes: ['accounting:read'] })
  @ApiOperation({ summary: 'List the invoices of all users' })
  @ApiResponse({ status: 200, description: 'Newest first', standardSchema: InvoicePage })
  async list(@Query({ schema: ListQuery }) query: ListQuery) {
    return toPage(await this.invoices.listAll(pageQuery(query)), query.limit, showInvoice);
  }
}
