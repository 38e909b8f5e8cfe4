import { Controller, Delete, Get, Header, HttpCode, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Authenticated } from '../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import { MayAnswer } from '../../web/openapi/may-answer.decorator.js';
import { CarrierRegistry, forgetSignIn } from '../sign-ins/carriers.js';
import { ExportView } from './leaving.schemas.js';
import { LeavingService } from './leaving.service.js';

@ApiTags('users')
@Controller('v1/users/me')
export class LeavingController {
  constructor(
    private readonly leaving: LeavingService,
    private readonly carriers: CarrierRegistry,
  ) {}

  @Get('export')
  @Authenticated({ modes: 'person', scopes: ['profile:read'], recentSignIn: true, live: true })
  @Header('Content-Disposition', 'attachment; filename="export.json"')
  @MayAnswer('rate-limited')
  @ApiOperation({
    summary: 'Everything that is stored about me',
    description: 'At most 10 exports per hour.',
  })
  @ApiResponse({ status: 200, description: 'All data, without secrets', standardSchema: ExportView })
  export(@CurrentPrincipal() principal: Principal): Promise<object> {
    return this.leaving.export(principal);
  }

  @Delete()
  @Authenticated({ modes: 'person', scopes: ['account:security'], recentSignIn: true, live: true })
  @HttpCode(204)
  @MayAnswer('last-administrator')
  @ApiOperation({
    summary: 'Delete my account',
    description:
      'Sign-ins, tokens, keys and factors end at once. Everything that belongs to the account is deleted.',
  })
  @ApiResponse({ status: 204, description: 'Deleted' })
  async delete(
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.leaving.delete(principal);
    forgetSignIn(reply, this.carriers);
  }
}
