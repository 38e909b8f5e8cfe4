import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Authenticated } from '../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import { Principal } from '../../auth/principal.js';
import { CreateEvent, EventView, showEvent } from './events.schemas.js';
import { EventsService } from './events.service.js';

@ApiTags('events')
@Controller('v1/events')
export class EventsController {
  constructor(private readonly events: EventsService) {}

  @Post()
  @HttpCode(202)
  @Authenticated({ modes: ['api-key'], scopes: ['events:write'] })
  @ApiOperation({ summary: 'Send an event' })
  @ApiResponse({ status: 202, description: 'The event is recorded', standardSchema: EventView })
  async create(@CurrentPrincipal() principal: Principal, @Body({ schema: CreateEvent }) body: CreateEvent) {
    return showEvent(await this.events.record(principal, body));
  }
}
