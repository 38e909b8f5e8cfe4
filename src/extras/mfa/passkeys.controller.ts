import { Body, Controller, Delete, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Authenticated, Public } from '../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import { deliver } from '../../accounts/sign-ins/carriers.js';
import { ResourceId } from '../../web/http/validation.js';
import { MayAnswer } from '../../web/openapi/may-answer.decorator.js';
import { EnrolledPasskeys } from './enrolled-passkeys.service.js';
import { MANAGES_FACTORS } from './mfa.access.js';
import { PasskeyCreated, PasskeyOptions, PasskeyRegistration, PasskeyRemoved } from './mfa.schemas.js';
import { PasskeyChallenges } from './passkey-challenges.js';

@ApiTags('mfa')
@Controller('v1')
export class PasskeysController {
  constructor(
    private readonly enrolled: EnrolledPasskeys,
    private readonly challenges: PasskeyChallenges,
  ) {}

  @Post('passkey-options')
  @Public({
    sameOrigin: true,
    rateLimit: { policy: 'passkey-options', requests: 120, windowSeconds: 60 },
  })
  @HttpCode(200)
  @ApiOperation({
    summary: 'Options to sign in with a passkey',
    description:
      'For `navigator.credentials.get()`, also with `mediation: "conditional"`. Send its answer as `{ passkey }` to `POST /v1/sessions` or `POST /v1/tokens`, or to the reauthentication. The challenge works once.',
  })
  @ApiResponse({ status: 200, description: 'The options', standardSchema: PasskeyOptions })
  signInOptions(): Promise<{ challenge: string }> {
    return this.challenges.forSignIn();
  }

  @Post('mfa/passkeys/options')
  @Authenticated(MANAGES_FACTORS)
  @HttpCode(200)
  @ApiOperation({
    summary: 'Options to register a passkey',
    description: 'For `navigator.credentials.create()`.',
  })
  @ApiResponse({ status: 200, description: 'The options', standardSchema: PasskeyOptions })
  registrationOptions(@CurrentPrincipal() principal: Principal): Promise<{ challenge: string }> {
    return this.enrolled.options(principal);
  }

  @Post('mfa/passkeys')
  @Authenticated(MANAGES_FACTORS)
  @MayAnswer('invalid-passkey', 'too-many-passkeys', 'rate-limited')
  @ApiOperation({ summary: 'Register a passkey', description: 'The sign-in gets new secrets.' })
  @ApiResponse({ status: 201, description: 'Registered', standardSchema: PasskeyCreated })
  async add(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: PasskeyRegistration }) body: PasskeyRegistration,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return deliver(reply, await this.enrolled.add(principal, body));
  }

  @Delete('mfa/passkeys/:id')
  @Authenticated(MANAGES_FACTORS)
  @HttpCode(200)
  @ApiOperation({ summary: 'Remove a passkey', description: 'The sign-in gets new secrets.' })
  @ApiResponse({ status: 200, description: 'Removed', standardSchema: PasskeyRemoved })
  async remove(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: ResourceId }) id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return deliver(reply, await this.enrolled.remove(principal, id));
  }
}
