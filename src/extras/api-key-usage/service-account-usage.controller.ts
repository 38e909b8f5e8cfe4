import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Authenticated } from '../../auth/authenticated.decorator.js';
import { ResourceId } from '../../web/http/validation.js';
import { SERVICE_ACCOUNT_KEYS_PATH } from '../service-account-admin/service-account-keys.controller.js';
import { ServiceAccountsService } from '../service-accounts/service-accounts.service.js';
import { Usage, UsageQuery } from './api-key-usage.schemas.js';
import { ApiKeyUsageService } from './api-key-usage.service.js';

@ApiTags('administration')
@Controller(SERVICE_ACCOUNT_KEYS_PATH)
export class ServiceAccountUsageController {
  constructor(
    private readonly accounts: ServiceAccountsService,
    private readonly usage: ApiKeyUsageService,
  ) {}

  @Get(':keyId/usage')
  @Authenticated({
    modes: 'person',
    scopes: ['admin:service-accounts'],
    recentSignIn: true,
    secondFactor: 'where-enrolled',
    live: true,
  })
  @ApiOperation({ summary: 'Get the usage of a key of a service account by hour' })
  @ApiResponse({ status: 200, description: 'The hours with requests', standardSchema: Usage })
  async show(
    @Param('id', { schema: ResourceId }) id: string,
    @Param('keyId', { schema: ResourceId }) keyId: string,
    @Query({ schema: UsageQuery }) query: UsageQuery,
  ): Promise<Usage> {
    return this.usage.of(await this.accounts.require(id), keyId, query);
  }
}
