import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Authenticated } from '../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import { Principal } from '../../auth/principal.js';
import { ResourceId } from '../../web/http/validation.js';
import { OWN_KEYS_PATH } from '../own-api-keys/own-keys.js';
import { Usage, UsageQuery } from './api-key-usage.schemas.js';
import { ApiKeyUsageService } from './api-key-usage.service.js';

@ApiTags('api-keys')
@Controller(OWN_KEYS_PATH)
export class ApiKeyUsageController {
  constructor(private readonly usage: ApiKeyUsageService) {}

  @Get(':id/usage')
  @Authenticated({ modes: 'person', scopes: ['api-keys:read'] })
  @ApiOperation({
    summary: 'Get the usage of a key by hour',
    description: 'The counts of other nodes can be two seconds late.',
  })
  @ApiResponse({ status: 200, description: 'The hours with requests', standardSchema: Usage })
  show(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: ResourceId }) id: string,
    @Query({ schema: UsageQuery }) query: UsageQuery,
  ): Promise<Usage> {
    return this.usage.of(principal.userId, id, query);
  }
}
