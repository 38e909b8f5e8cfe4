import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../auth/authenticated.decorator.js';
import { ValidationError } from '../http/validation.js';
import { setCookie } from '../openapi/answer-headers.js';
import { MayAnswer } from '../openapi/may-answer.decorator.js';
import { deliver } from '../sign-ins/carriers.js';
import { REFRESH_COOKIE, RefreshCookies } from './refresh-cookie.js';
import { InvalidRefreshTokenError } from './tokens.errors.js';
import { RefreshRequest, TokenRequest, TokenResponse } from './tokens.schemas.js';
import { TokensService } from './tokens.service.js';

const SET_COOKIE = setCookie(REFRESH_COOKIE.name, false);

@ApiTags('tokens')
@Controller('v1/tokens')
export class TokensController {
  constructor(private readonly tokens: TokensService) {}

  @Post()
  @Public({ sameOrigin: true })
  @MayAnswer('invalid-credential', 'busy')
  @ApiOperation({ summary: 'Sign in and get a pair of tokens' })
  @ApiResponse({ status: 201, description: 'The pair', headers: SET_COOKIE, standardSchema: TokenResponse })
  async create(
    @Body({ schema: TokenRequest }) body: TokenRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return deliver(reply, await this.tokens.signIn(body));
  }

  @Post('refresh')
  @Public({ sameOrigin: true })
  @HttpCode(200)
  @MayAnswer('invalid-refresh-token')
  @ApiBody({ required: false })
  @ApiOperation({ summary: 'Use a refresh token, and get the next pair' })
  @ApiResponse({
    status: 200,
    description: 'The next pair',
    headers: SET_COOKIE,
    standardSchema: TokenResponse,
  })
  async refresh(
    @Body({ schema: RefreshRequest }) body: RefreshRequest,
    @RefreshCookies() cookies: string[],
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    try {
      return deliver(reply, await this.tokens.refresh(presentedToken(body.refreshToken, cookies)));
    } catch (error) {
      if (error instanceof InvalidRefreshTokenError && cookies.length > 0)
        void reply.clearCookie(REFRESH_COOKIE.name, REFRESH_COOKIE.options);
      throw error;
    }
  }
}

/** Undefined for none, and for two cookies: neither is more likely to be the one that is meant. */
function presentedToken(inBody: string | undefined, cookies: string[]): string | undefined {
  if (inBody !== undefined && cookies.length > 0)
    throw new ValidationError([
      { pointer: '/refreshToken', detail: 'is sent beside the cookie: send one of them' },
    ]);
  return cookies.length > 1 ? undefined : (inBody ?? cookies[0]);
}
