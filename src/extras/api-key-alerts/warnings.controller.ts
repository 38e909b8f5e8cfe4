import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Authenticated } from '../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import { Principal } from '../../auth/principal.js';
import { ListQuery, pageQuery, toPage } from '../../web/pagination/page.js';
import { OWN_KEYS_PATH } from '../own-api-keys/own-keys.js';
import { Warnings } from './warnings.js';
import { ApiKeyWarningPage, showWarnings } from './warnings.schemas.js';

@ApiTags('api-keys')
@Controller(`${OWN_KEYS_PATH}/warnings`)
export class WarningsController {
  constructor(private readonly warnings: Warnings) {}

  @Get()
  @Authenticated({ modes: 'person', scopes: ['api-keys:read'] })
  @ApiOperation({ summary: 'List my keys that need attention' })
  @ApiResponse({ status: 200, description: 'Newest first', standardSchema: ApiKeyWarningPage })
  async list(@CurrentPrincipal() principal: Principal, @Query({ schema: ListQuery }) query: ListQuery) {
    const found = await this.warnings.of(principal.userId, pageQuery(query));
    return toPage(found, query.limit, showWarnings);
  }
}
