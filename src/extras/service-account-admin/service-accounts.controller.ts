import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Authenticated } from '../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import { Principal } from '../../auth/principal.js';
import { ResourceId } from '../../web/http/validation.js';
import { ListQuery, pageQuery, toPage } from '../../web/pagination/page.js';
import { CreateServiceAccount } from '../service-accounts/service-accounts.schemas.js';
import { ServiceAccountsService } from '../service-accounts/service-accounts.service.js';
import { Administrators } from './administrators.js';
import {
  ChangeServiceAccount,
  ServiceAccountPage,
  ServiceAccountView,
  showServiceAccount,
} from './service-account-views.js';

@ApiTags('administration')
@Controller('v1/admin/service-accounts')
@Authenticated({
  modes: 'person',
  scopes: ['admin:service-accounts'],
  recentSignIn: true,
  secondFactor: 'where-enrolled',
  live: true,
})
export class ServiceAccountsController {
  constructor(
    private readonly accounts: ServiceAccountsService,
    private readonly administrators: Administrators,
  ) {}

  @Get()
  @ApiOperation({ summary: 'List all service accounts, newest first' })
  @ApiResponse({ status: 200, description: 'A page of service accounts', standardSchema: ServiceAccountPage })
  async list(@Query({ schema: ListQuery }) query: ListQuery) {
    return toPage(await this.accounts.list(pageQuery(query)), query.limit, showServiceAccount);
  }

  @Post()
  @ApiOperation({ summary: 'Create a service account', description: 'The new account has no keys.' })
  @ApiResponse({ status: 201, description: 'The account', standardSchema: ServiceAccountView })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: CreateServiceAccount }) body: CreateServiceAccount,
  ) {
    return showServiceAccount(await this.accounts.create(body, this.administrators.acting(principal)));
  }

  @Patch(':id')
  @ApiOperation({
    summary: 'Rename, disable or enable a service account',
    description:
      'All nodes refuse the keys of a disabled account and the tokens that were exchanged for them.',
  })
  @ApiResponse({ status: 200, description: 'The updated account', standardSchema: ServiceAccountView })
  async change(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: ResourceId }) id: string,
    @Body({ schema: ChangeServiceAccount }) body: ChangeServiceAccount,
  ) {
    return showServiceAccount(await this.accounts.change(this.administrators.acting(principal), id, body));
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete a service account',
    description: 'Its keys and their tokens end at once. All data of the account is deleted.',
  })
  @ApiResponse({ status: 204, description: 'Deleted' })
  async delete(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: ResourceId }) id: string,
  ): Promise<void> {
    await this.accounts.delete(this.administrators.acting(principal), id);
  }
}
