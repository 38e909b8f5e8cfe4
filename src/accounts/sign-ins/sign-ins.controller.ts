import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Authenticated } from '../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import { ResourceId } from '../../web/http/validation.js';
import { MayAnswer } from '../../web/openapi/may-answer.decorator.js';
import { ListQuery, pageOf } from '../../web/pagination/page.js';
import { NotFoundError } from '../../platform/problems/not-found.js';
import { CarrierRegistry, deliver, forgetSignIn } from './carriers.js';
import type { ProofFields } from './proofs.js';
import { ReauthenticationService } from './reauthentication.service.js';
import { Reauthentication } from './sign-in-request.js';
import { SignInsService } from './sign-ins.service.js';
import { RenewedSignIn, SignInView } from './sign-ins.schemas.js';

const SignInPage = pageOf(SignInView, 'SignInPage');

/** The sign-ins of the acting person, with all carriers. */
@ApiTags('sessions')
@Controller('v1/sessions')
export class SignInsController {
  constructor(
    private readonly signIns: SignInsService,
    private readonly reauthentication: ReauthenticationService,
    private readonly carriers: CarrierRegistry,
  ) {}

  @Get()
  @Authenticated({ modes: 'person', scopes: ['sessions:read'] })
  @ApiOperation({ summary: 'List my sign-ins' })
  @ApiResponse({
    status: 200,
    description: 'Active sign-ins, newest first',
    standardSchema: SignInPage,
  })
  list(@CurrentPrincipal() principal: Principal, @Query({ schema: ListQuery }) query: ListQuery) {
    return this.signIns.page(principal.userId, principal.signInId, query);
  }

  @Get('current')
  @Authenticated({ modes: 'person', secondFactor: 'never' })
  @ApiOperation({ summary: 'Get the sign-in of this request' })
  @ApiResponse({ status: 200, description: 'The sign-in', standardSchema: SignInView })
  current(@CurrentPrincipal() principal: Principal): Promise<SignInView> {
    return this.signIns.show(principal.signInId);
  }

  @Delete('current')
  @Authenticated({ modes: 'person', secondFactor: 'never' })
  @HttpCode(204)
  @ApiOperation({ summary: 'Sign out' })
  @ApiResponse({ status: 204, description: 'Signed out' })
  async signOut(
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.signIns.end(principal.userId, principal.signInId, 'signed out');
    forgetSignIn(reply, this.carriers);
  }

  @Delete(':id')
  @Authenticated({ modes: 'person', scopes: ['sessions:write'], live: true })
  @HttpCode(204)
  @ApiOperation({ summary: 'End one of my sign-ins' })
  @ApiResponse({ status: 204, description: 'Ended' })
  async end(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: ResourceId }) id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const ended = await this.signIns.end(principal.userId, id, 'ended by the user', principal);
    if (!ended) throw new NotFoundError();
    if (id === principal.signInId) forgetSignIn(reply, this.carriers);
  }

  @Delete()
  @Authenticated({ modes: 'person', scopes: ['sessions:write'], live: true })
  @HttpCode(204)
  @ApiOperation({ summary: 'End all my other sign-ins' })
  @ApiResponse({ status: 204, description: 'Ended' })
  async endOthers(@CurrentPrincipal() principal: Principal): Promise<void> {
    await this.signIns.endOthers(principal);
  }

  @Post('current/reauthentication')
  @Authenticated({ modes: 'person', scopes: ['account:security'], secondFactor: 'never' })
  @HttpCode(200)
  @MayAnswer('rate-limited', 'busy')
  @ApiOperation({
    summary: 'Prove my identity again',
    description:
      'With a session cookie, the answer is `{ session, csrfToken }` and a new cookie. With a token, the answer is a full token response. The old secrets are revoked.',
  })
  @ApiResponse({
    status: 200,
    description: 'New secrets for the same sign-in',
    standardSchema: RenewedSignIn,
  })
  async reauthenticate(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: Reauthentication }) body: ProofFields,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return deliver(reply, await this.reauthentication.reauthenticate(principal, body));
  }
}
