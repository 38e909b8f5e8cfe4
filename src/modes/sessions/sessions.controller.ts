import { Body, Controller, Get, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Authenticated, Public } from '../../auth/authenticated.decorator.js';
import { setCookie } from '../../web/openapi/answer-headers.js';
import { MayAnswer } from '../../web/openapi/may-answer.decorator.js';
import { problemsOfProofs } from '../../accounts/sign-ins/sign-in-request.js';
import { deliver } from '../../accounts/sign-ins/carriers.js';
import { CsrfToken, PresentedSessions, SESSION_COOKIE } from './session-cookie.js';
import { CsrfTokenView, SessionCreated, SessionRequest } from './sessions.schemas.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('sessions')
@Controller('v1/sessions')
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  @Post()
  @Public({ sameOrigin: true })
  @MayAnswer('invalid-credential', 'rate-limited', 'busy', problemsOfProofs)
  @ApiOperation({
    summary: 'Sign in by cookie',
    description: 'Every sign-in gets a new secret. The session of a cookie in the request ends.',
  })
  @ApiResponse({
    status: 201,
    description: 'Signed in; `Set-Cookie` has the session cookie',
    headers: setCookie(SESSION_COOKIE, true),
    standardSchema: SessionCreated,
  })
  async signIn(
    @Body({ schema: SessionRequest }) body: SessionRequest,
    @PresentedSessions() presented: string[],
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return deliver(reply, await this.sessions.signIn(body, presented));
  }

  @Get('current/csrf-token')
  @Authenticated({ modes: ['session'], secondFactor: 'never' })
  @ApiOperation({ summary: 'Get the CSRF token of my session' })
  @ApiResponse({ status: 200, description: 'Send it as `X-CSRF-Token`', standardSchema: CsrfTokenView })
  csrfToken(@CsrfToken() csrfToken: string): CsrfTokenView {
    return { csrfToken };
  }
}
