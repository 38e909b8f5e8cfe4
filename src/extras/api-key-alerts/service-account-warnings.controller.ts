import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Authenticated } from '../../auth/authenticated.decorator.js';
import { ResourceId } from '../../web/http/validation.js';
import { ListQuery, pageQuery, toPage } from '../../web/pagination/page.js';
import { SERVICE_ACCOUNT_KEYS_PATH } from '../service-account-admin/service-account-keys.controller.js';
import { ServiceAccountsService } from '../service-accounts/service-accounts.service.js';
import { Warnings } from './warnings.js';
import { ApiKeyWarningPage, showWarnings } from './warnings.schemas.js';

@ApiTags('administration')
@Controller(`${SERVICE_ACCOUNT_KEYS_PATH}/warnings`)
export class ServiceAccountWarningsController {
  constructor(
    private readonly accounts: ServiceAccountsService,
    private readonly warnings: Warnings,
  ) {}

  @Get()
  @Authenticated({
    modes: 'person',
    scopes: ['admin:service-accounts'],
    recentSignIn: true,
    secondFactor: 'where-enrolled',
    live: true,
  })
  @ApiOperation({ summary: 'List the keys of a service account that need attention' })
  @ApiResponse({ status: 200, description: 'Newest first', standardSchema: ApiKeyWarningPage })
  async list(
    @Param('id', { schema: ResourceId }) id: string,
    @Query({ schema: ListQuery }) query: ListQuery,
  ) {
    const found = await this.warnings.of(await this.accounts.require(id), pageQuery(query));
    return toPage(found, query.limit, showWarnings);
  }
}
