import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Authenticated } from '../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import { ReportsService, Summary } from './reports.service.js';

/** An example of `live`: each request checks the sign-in behind the JWT. */
@ApiTags('reports')
@Controller('v1/reports')
export class ReportsController {
  constructor(private readonly reports: ReportsService) {}

  @Get('summary')
  @Authenticated({ modes: ['jwt'], person: true, scopes: ['reports:read'], live: true })
  @ApiOperation({ summary: 'Get a summary of my orders' })
  @ApiResponse({ status: 200, description: 'The summary', standardSchema: Summary })
  summary(@CurrentPrincipal() principal: Principal): Promise<Summary> {
    return this.reports.summary(principal.userId);
  }
}
