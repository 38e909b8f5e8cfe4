import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../../auth/authenticated.decorator.js';
import { ValidationError } from '../../web/http/validation.js';
import { setCookie } from '../../web/openapi/answer-headers.js';
import { MayAnswer } from '../../web/openapi/may-answer.decorator.js';
import { problemsOfProofs } from '../../accounts/sign-ins/sign-in-request.js';
import { clearCookies, deliver, type IssuedCredential } from '../../accounts/sign-ins/carriers.js';
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
  @MayAnswer('invalid-credential', 'rate-limited', 'busy', problemsOfProofs)
  @ApiOperation({ summary: 'Sign in and get a pair of tokens' })
  @ApiResponse({
    status: 201,
    description: 'The pair of tokens',
    headers: SET_COOKIE,
    standardSchema: TokenResponse,
  })
  async create(
    @Body({ schema: TokenRequest }) body: TokenRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return deliver(reply, await this.tokens.signIn(body));
  }

  @Post('refresh')
  @Public({ sameOrigin: true })
  @HttpCode(200)
  @MayAnswer('invalid-refresh-token', 'rate-limited')
  @ApiBody({ required: false })
  @ApiOperation({ summary: 'Exchange a refresh token for a new pair' })
  @ApiResponse({
    status: 200,
    description: 'The new pair',
    headers: SET_COOKIE,
    standardSchema: TokenResponse,
  })
  async refresh(
    @Body({ schema: RefreshRequest }) body: RefreshRequest,
    @RefreshCookies() cookies: string[],
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    try {
      return deliver(reply, await this.#refresh(body.refreshToken, cookies));
    } catch (error) {
      if (error instanceof InvalidRefreshTokenError && cookies.length > 0)
        clearCookies(reply, [REFRESH_COOKIE]);
      throw error;
    }
  }

  #refresh(inBody: string | undefined, cookies: string[]): Promise<IssuedCredential> {
    if (inBody === undefined)
      // The server cannot know which of two cookies is the right one.
      return this.tokens.refresh(cookies.length === 1 ? cookies[0] : undefined, 'cookie');
    if (cookies.length > 0)
      throw new ValidationError([
        { pointer: '/refreshToken', detail: 'must not be sent together with the cookie' },
      ]);
    return this.tokens.refresh(inBody, 'body');
  }
}
