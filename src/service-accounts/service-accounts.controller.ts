import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Authenticated } from '../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../auth/current-principal.decorator.js';
import { Principal } from '../auth/principal.js';
import { ListQuery, pageQuery, toPage } from '../pagination/page.js';
import {
  CreateServiceAccount,
  ServiceAccountPage,
  ServiceAccountView,
  showServiceAccount,
} from './service-accounts.schemas.js';
import { ServiceAccountsService } from './service-accounts.service.js';

@ApiTags('administration')
@Controller('v1/admin/service-accounts')
@Authenticated({ modes: ['session'], scopes: ['admin:service-accounts'], recentSignIn: true })
export class ServiceAccountsController {
  constructor(private readonly accounts: ServiceAccountsService) {}

  @Get()
  @ApiOperation({ summary: 'All service accounts, newest first' })
  @ApiResponse({ status: 200, description: 'A page of them', standardSchema: ServiceAccountPage })
  async list(@Query({ schema: ListQuery }) query: ListQuery) {
    return toPage(await this.accounts.list(pageQuery(query)), query.limit, showServiceAccount);
  }

  @Post()
  @ApiOperation({ summary: 'Make a service account', description: 'It has no keys yet.' })
  @ApiResponse({ status: 201, description: 'The account', standardSchema: ServiceAccountView })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: CreateServiceAccount }) body: CreateServiceAccount,
  ) {
    return showServiceAccount(await this.accounts.create(principal, body));
  }
}
