import { Body, Controller, HttpCode, Put, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Authenticated } from '../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import { MayAnswer } from '../../web/openapi/may-answer.decorator.js';
import { PasswordChange } from '../users/users.schemas.js';
import { deliver } from './carriers.js';
import { PasswordsService } from './passwords.service.js';
import { RenewedSignIn } from './sign-ins.schemas.js';

/** In this room and not in `users`, because a new password ends sign-ins. */
@ApiTags('users')
@Controller('v1/users/me/password')
export class PasswordController {
  constructor(private readonly passwords: PasswordsService) {}

  @Put()
  @Authenticated({ modes: 'person', scopes: ['account:security'], recentSignIn: true, live: true })
  @HttpCode(200)
  @MayAnswer('rate-limited', 'busy')
  @ApiOperation({
    summary: 'Change my password',
    description:
      'All other sign-ins end. With a session cookie, the answer is `{ session, csrfToken }` and a new cookie. With a token, the answer is a full token response.',
  })
  @ApiResponse({ status: 200, description: 'New secrets for this sign-in', standardSchema: RenewedSignIn })
  async change(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: PasswordChange }) body: PasswordChange,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return deliver(reply, await this.passwords.change(principal, body.currentPassword, body.newPassword));
  }
}
