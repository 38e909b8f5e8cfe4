import { Body, Controller, Delete, Get, HttpCode, Post, Put, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Authenticated } from '../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import { deliver } from '../../accounts/sign-ins/carriers.js';
import { RenewedSignIn } from '../../accounts/sign-ins/sign-ins.schemas.js';
import { MayAnswer } from '../../web/openapi/may-answer.decorator.js';
import { Enrolled, MfaView, RecoveryCodes, TotpActivation, TotpSecret } from './mfa.schemas.js';
import { FactorsService } from './factors.service.js';
import { MANAGES_FACTORS } from './mfa.access.js';

@ApiTags('mfa')
@Controller('v1/mfa')
@Authenticated(MANAGES_FACTORS)
export class MfaController {
  constructor(private readonly factors: FactorsService) {}

  @Get()
  @ApiOperation({ summary: 'My second factors' })
  @ApiResponse({ status: 200, description: 'What is enrolled', standardSchema: MfaView })
  show(@CurrentPrincipal() principal: Principal): Promise<MfaView> {
    return this.factors.show(principal.userId);
  }

  @Post('totp')
  @MayAnswer('totp-enrolled', 'rate-limited')
  @ApiOperation({
    summary: 'Get a secret for an authenticator app',
    description: 'It is inactive until `PUT /v1/mfa/totp` proves that the app has it.',
  })
  @ApiResponse({ status: 201, description: 'The secret, shown once', standardSchema: TotpSecret })
  beginTotp(@CurrentPrincipal() principal: Principal): Promise<TotpSecret> {
    return this.factors.beginTotp(principal);
  }

  @Put('totp')
  @MayAnswer('rate-limited')
  @ApiOperation({
    summary: 'Enrol the authenticator app with its first code',
    description: 'The sign-in gets new secrets.',
  })
  @ApiResponse({ status: 200, description: 'Enrolled', standardSchema: Enrolled })
  async enrolTotp(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: TotpActivation }) { code }: TotpActivation,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return deliver(reply, await this.factors.enrolTotp(principal, code));
  }

  @Delete('totp')
  @HttpCode(200)
  @MayAnswer('not-found')
  @ApiOperation({ summary: 'Remove the authenticator app', description: 'The sign-in gets new secrets.' })
  @ApiResponse({ status: 200, description: 'Removed', standardSchema: RenewedSignIn })
  async removeTotp(
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return deliver(reply, await this.factors.removeTotp(principal));
  }

  @Post('recovery-codes')
  @MayAnswer('no-second-factor', 'rate-limited')
  @ApiOperation({ summary: 'Replace my recovery codes' })
  @ApiResponse({ status: 201, description: 'Ten new codes, shown once', standardSchema: RecoveryCodes })
  replaceCodes(@CurrentPrincipal() principal: Principal): Promise<{ recoveryCodes: string[] }> {
    return this.factors.replaceCodes(principal);
  }
}
