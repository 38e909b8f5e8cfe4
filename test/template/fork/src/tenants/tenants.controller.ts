import { Controller, Get, Headers } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Authenticated } from '../auth/authenticated.decorator.js';

const TenantView = z
  .object({ name: z.string().describe('The name of the tenant') })
  .meta({ id: 'Tenant', description: 'A tenant' });

@ApiTags('tenants')
@Controller('v1/tenants/current')
export class TenantsController {
  @Get()
  @Authenticated({ modes: 'any', scopes: ['profile:read'], requires: { tenant: true } })
  @ApiHeader({ name: 'x-tenant', description: 'The name of a tenant of yours' })
  @ApiOperation({ summary: 'Show the tenant of this request' })
  @ApiResponse({ status: 200, description: 'The tenant', standardSchema: TenantView })
  show(@Headers('x-tenant') name: string) {
    return { name };
  }
}
