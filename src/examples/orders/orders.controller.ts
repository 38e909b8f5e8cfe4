import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Authenticated } from '../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import { Principal } from '../../auth/principal.js';
import { locate } from '../../web/http/location.js';
import { ResourceId } from '../../web/http/validation.js';
import { LOCATION } from '../../web/openapi/answer-headers.js';
import { ListQuery, pageQuery, toPage } from '../../web/pagination/page.js';
import { CreateOrder, OrderPage, OrderView, showOrder } from './orders.schemas.js';
import { OrdersService } from './orders.service.js';

@ApiTags('orders')
@Controller('v1/orders')
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Get()
  @Authenticated({ modes: 'any', scopes: ['orders:read'] })
  @ApiOperation({ summary: 'List my orders' })
  @ApiResponse({ status: 200, description: 'Newest first', standardSchema: OrderPage })
  async list(@CurrentPrincipal() principal: Principal, @Query({ schema: ListQuery }) query: ListQuery) {
    return toPage(await this.orders.list(principal.subject, pageQuery(query)), query.limit, showOrder);
  }

  @Post()
  @Authenticated({ modes: 'any', scopes: ['orders:write'] })
  @ApiOperation({ summary: 'Place an order' })
  @ApiResponse({ status: 201, description: 'The order', headers: LOCATION, standardSchema: OrderView })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: CreateOrder }) body: CreateOrder,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const order = await this.orders.create(principal.subject, body);
    locate(reply, `orders/${order.id}`);
    return showOrder(order);
  }

  @Get(':id')
  @Authenticated({ modes: 'any', scopes: ['orders:read'], resource: 'orders/:id' })
  @ApiOperation({ summary: 'Show an order' })
  @ApiResponse({ status: 200, description: 'The order', standardSchema: OrderView })
  async show(@CurrentPrincipal() principal: Principal, @Param('id', { schema: ResourceId }) id: string) {
    return showOrder(await this.orders.find(principal.subject, id));
  }

  @Delete(':id')
  @HttpCode(204)
  @Authenticated({ modes: 'any', scopes: ['orders:write'], resource: 'orders/:id' })
  @ApiOperation({ summary: 'Delete an order' })
  @ApiResponse({ status: 204, description: 'The order is deleted' })
  async remove(@CurrentPrincipal() principal: Principal, @Param('id', { schema: ResourceId }) id: string) {
    await this.orders.remove(principal.subject, id);
  }
}
