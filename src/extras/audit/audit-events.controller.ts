import { Readable } from 'node:stream';
import {
  Controller,
  createParamDecorator,
  type ExecutionContext,
  Get,
  Query,
  StreamableFile,
} from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Authenticated } from '../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import { AuditEventsService } from './audit-events.service.js';
import { AdminAuditEventPage, AuditEventPage, AuditQuery } from './audit.schemas.js';

const NDJSON = 'application/x-ndjson';

/** Whether the client names NDJSON in `Accept`. A client that accepts everything gets JSON. */
const WantsLines = createParamDecorator((_data: unknown, context: ExecutionContext): boolean => {
  const { accept = '' } = context.switchToHttp().getRequest<FastifyRequest>().headers;
  return accept.split(',').some((range) => range.split(';', 1)[0]!.trim().toLowerCase() === NDJSON);
});

@ApiTags('audit')
@Controller('v1/audit-events')
export class AuditEventsController {
  constructor(private readonly events: AuditEventsService) {}

  @Get()
  @Authenticated({ modes: 'person', scopes: ['profile:read'] })
  @ApiOperation({ summary: 'List the security events of my account' })
  @ApiResponse({ status: 200, description: 'Events, newest first', standardSchema: AuditEventPage })
  list(@CurrentPrincipal() principal: Principal, @Query({ schema: AuditQuery }) query: AuditQuery) {
    return this.events.pageOf(principal.userId, query);
  }
}

@ApiTags('audit')
@Controller('v1/admin/audit-events')
export class AdminAuditEventsController {
  constructor(private readonly events: AuditEventsService) {}

  @Get()
  @Authenticated({
    modes: 'person',
    scopes: ['admin:audit'],
    recentSignIn: true,
    secondFactor: 'where-enrolled',
    live: true,
  })
  @ApiOperation({
    summary: 'List all security events',
    description: `With \`Accept: ${NDJSON}\`, the answer is all events that match, one JSON object in each line.`,
  })
  @ApiResponse({ status: 200, description: 'Events, newest first', standardSchema: AdminAuditEventPage })
  async list(@Query({ schema: AuditQuery }) query: AuditQuery, @WantsLines() wantsLines: boolean) {
    if (!wantsLines) return this.events.pageOfAll(query);
    return new StreamableFile(Readable.from(this.events.lines(query)), { type: NDJSON });
  }
}
