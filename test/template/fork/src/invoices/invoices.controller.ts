import { Body, Controller, Get, HttpCode, Param, Post, Put, Query, Res, Sse } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { from, map, type Observable } from 'rxjs';
import { Authenticated } from '../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../auth/current-principal.decorator.js';
import { Principal } from '../auth/principal.js';
import { AcceptBody } from '../web/http/accept-body.decorator.js';
import { Bytes } from '../web/http/bodies.js';
import { locate } from '../web/http/location.js';
import { ResourceId } from '../web/http/validation.js';
import { LOCATION } from '../web/openapi/answer-headers.js';
import { ListQuery, pageQuery, toPage } from '../web/pagination/page.js';
import { CreateInvoice, InvoicePage, InvoiceView, showInvoice } from './invoices.schemas.js';
import { InvoicesService } from './invoices.service.js';

const NEWEST = { limit: 20 };

@ApiTags('invoices')
@Controller('v1/invoices')
export class InvoicesController {
  constructor(private readonly invoices: InvoicesService) {}

  @Get()
  @Authenticated({ modes: 'any', scopes: ['invoices:read'] })
  @ApiOperation({ summary: 'List my invoices' })
  @ApiResponse({ status: 200, description: 'Newest first', standardSchema: InvoicePage })
  async list(@CurrentPrincipal() principal: Principal, @Query({ schema: ListQuery }) query: ListQuery) {
    return toPage(await this.invoices.list(principal.subject, pageQuery(query)), query.limit, showInvoice);
  }

  @Post()
  @Authenticated({ modes: 'any', scopes: ['invoices:write'] })
  @ApiOperation({ summary: 'Create an invoice' })
  @ApiResponse({ status: 201, description: 'The invoice', headers: LOCATION, standardSchema: InvoiceView })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: CreateInvoice }) body: CreateInvoice,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const invoice = await this.invoices.create(principal.subject, body);
    locate(reply, `invoices/${invoice.id}`);
    return showInvoice(invoice);
  }

  /** The answer ends when the observable ends. A client reconnects by itself. */
  @Sse('events')
  @Authenticated({ modes: 'any', scopes: ['invoices:read'] })
  @ApiOperation({ summary: 'Stream your newest invoices' })
  @ApiResponse({
    status: 200,
    description: 'An event for each invoice',
    content: { 'text/event-stream': {} },
  })
  async events(@CurrentPrincipal() principal: Principal): Promise<Observable<{ data: object }>> {
    const invoices = await this.invoices.list(principal.subject, NEWEST);
    return from(invoices).pipe(map((invoice) => ({ data: showInvoice(invoice) })));
  }

  @Get(':id')
  @Authenticated({ modes: 'any', scopes: ['invoices:read'], resource: 'invoices/:id' })
  @ApiOperation({ summary: 'Show an invoice' })
  @ApiResponse({ status: 200, description: 'The invoice', standardSchema: InvoiceView })
  async show(@CurrentPrincipal() principal: Principal, @Param('id', { schema: ResourceId }) id: string) {
    return showInvoice(await this.invoices.find(principal.subject, id));
  }

  @Put(':id/document')
  @HttpCode(204)
  @Authenticated({ modes: 'any', scopes: ['invoices:write'], resource: 'invoices/:id' })
  @AcceptBody({ as: 'bytes', types: ['application/pdf'], limit: 1_000_000 })
  @ApiOperation({ summary: 'Attach a PDF to an invoice' })
  @ApiResponse({ status: 204, description: 'The PDF is stored' })
  async attach(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: ResourceId }) id: string,
    @Body({ schema: Bytes }) document: Buffer,
  ) {
    await this.invoices.attach(principal.subject, id, document);
  }
}
