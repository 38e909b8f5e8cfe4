import { Body, Controller, HttpCode, Post, Put, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../../auth/authenticated.decorator.js';
import { MayAnswer } from '../../web/openapi/may-answer.decorator.js';
import { setDeviceCookie } from '../attempt-limits/device-cookie.js';
import { MailAccepted } from '../users/users.schemas.js';
import { PasswordResetLinksService } from './password-reset-links.service.js';
import { PasswordResetBody, PasswordResetRequest } from './recovery.schemas.js';
import { PasswordResetsService } from './password-resets.service.js';

@ApiTags('users')
@Controller('v1/password-resets')
export class PasswordResetsController {
  constructor(
    private readonly links: PasswordResetLinksService,
    private readonly resets: PasswordResetsService,
  ) {}

  @Post()
  @Public({ rateLimit: { policy: 'password-resets', requests: 300, windowSeconds: 600 } })
  @HttpCode(202)
  @ApiOperation({
    summary: 'Mail me a link to set a new password',
    description:
      'The answer and its time are the same for every address. An address gets at most 5 links in an hour. An earlier link works until it expires or the password changes.',
  })
  @ApiResponse({
    status: 202,
    description: 'If the address has an account, a mail is sent to it',
    standardSchema: MailAccepted,
  })
  async request(@Body({ schema: PasswordResetRequest }) body: PasswordResetRequest): Promise<MailAccepted> {
    await this.links.request(body.email);
    return { message: 'If this address has an account, a mail was sent to it.' };
  }

  @Put()
  @Public({ rateLimit: { policy: 'password-reset-links', requests: 300, windowSeconds: 600 } })
  @HttpCode(204)
  @MayAnswer('invalid-one-time-token', 'busy')
  @ApiOperation({
    summary: 'Set a new password with the token of the link',
    description:
      'The link works once, for 30 minutes. Every sign-in and token of the person ends. A mail lists the API keys that still work. If nobody has confirmed the address before, all keys and second factors end too.',
  })
  @ApiResponse({ status: 204, description: 'The new password is set. Sign in with it.' })
  async reset(
    @Body({ schema: PasswordResetBody }) body: PasswordResetBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.resets.reset(body);
    setDeviceCookie(reply);
  }
}
