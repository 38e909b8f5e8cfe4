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
import { CarrierRegistry, clearCookies, deliver } from './carriers.js';
import { PasswordsService } from './passwords.service.js';
import { SignInsService } from './sign-ins.service.js';
import { Reauthentication, RenewedSignIn, SignInView } from './sign-ins.schemas.js';

const SignInPage = pageOf(SignInView, 'SignInPage');

/** One's sign-ins, by whatever they are carried. */
@ApiTags('sessions')
@Controller('v1/sessions')
export class SignInsController {
  constructor(
    private readonly signIns: SignInsService,
    private readonly passwords: PasswordsService,
    private readonly carriers: CarrierRegistry,
  ) {}

  @Get()
  @Authenticated({ modes: 'person', scopes: ['sessions:read'] })
  @ApiOperation({ summary: 'Where I am signed in' })
  @ApiResponse({
    status: 200,
    description: 'Sign-ins that are alive, newest first',
    standardSchema: SignInPage,
  })
  list(@CurrentPrincipal() principal: Principal, @Query({ schema: ListQuery }) query: ListQuery) {
    return this.signIns.page(principal.userId, principal.signInId, query);
  }

  @Get('current')
  @Authenticated({ modes: 'person' })
  @ApiOperation({ summary: 'The sign-in behind this request' })
  @ApiResponse({ status: 200, description: 'The sign-in', standardSchema: SignInView })
  current(@CurrentPrincipal() principal: Principal): Promise<SignInView> {
    return this.signIns.show(principal.signInId);
  }

  @Delete('current')
  @Authenticated({ modes: 'person' })
  @HttpCode(204)
  @ApiOperation({ summary: 'Sign out' })
  @ApiResponse({ status: 204, description: 'Signed out' })
  async signOut(
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.signIns.end(principal.userId, principal.signInId, 'signed out');
    this.#forget(reply);
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
    if (id === principal.signInId) this.#forget(reply);
  }

  @Delete()
  @Authenticated({ modes: 'person', scopes: ['sessions:write'], live: true })
  @HttpCode(204)
  @ApiOperation({ summary: 'End all my sign-ins but this one' })
  @ApiResponse({ status: 204, description: 'Ended' })
  async endOthers(@CurrentPrincipal() principal: Principal): Promise<void> {
    await this.signIns.endOthers(principal);
  }

  @Post('current/reauthentication')
  @Authenticated({ modes: 'person', scopes: ['account:security'] })
  @HttpCode(200)
  @MayAnswer('busy')
  @ApiOperation({
    summary: 'Prove who I am again',
    description:
      'By cookie the answer is `{ session, csrfToken }` and a new cookie, by token a full token response. The old secrets end.',
  })
  @ApiResponse({
    status: 200,
    description: 'New secrets for the same sign-in',
    standardSchema: RenewedSignIn,
  })
  async reauthenticate(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: Reauthentication }) body: Reauthentication,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return deliver(reply, await this.passwords.reauthenticate(principal, body.password));
  }

  /** The cookies of all carriers, and what the browser kept (ASVS 14.3.1). */
  #forget(reply: FastifyReply): void {
    clearCookies(reply, this.carriers.cookies());
    void reply.header('Clear-Site-Data', '"cache", "storage"');
  }
}
