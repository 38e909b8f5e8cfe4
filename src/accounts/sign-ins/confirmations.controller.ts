import { Body, Controller, HttpCode, Put, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../../auth/authenticated.decorator.js';
import { MayAnswer } from '../../web/openapi/may-answer.decorator.js';
import { setDeviceCookie } from '../attempt-limits/device-cookie.js';
import { Verification } from '../users/users.schemas.js';
import { ConfirmationsService } from './confirmations.service.js';

/** In this room and not in `users`, because a confirmation can end sign-ins. */
@ApiTags('users')
@Controller('v1/email-verifications')
export class ConfirmationsController {
  constructor(private readonly confirmations: ConfirmationsService) {}

  @Put()
  @Public({ rateLimit: { policy: 'email-confirmations', requests: 300, windowSeconds: 600 } })
  @HttpCode(204)
  @MayAnswer('invalid-one-time-token', 'already-confirmed', 'busy')
  @ApiOperation({
    summary: 'Confirm my address with the token of the link',
    description:
      'The link of a registration confirms that registration with its password: send `{ token }`. A link from `POST /v1/email-verifications` sets a new password: send `{ token, newPassword }`. Without `newPassword`, the answer is 400 `validation-failed` with the pointer `/newPassword`, and the link still works. The first confirmed link decides the password and name of the account. Sign-ins and keys that were created with another password end. The link of a change of address confirms that change: send `{ token }`.',
  })
  @ApiResponse({ status: 204, description: 'Confirmed' })
  async confirm(
    @Body({ schema: Verification }) body: Verification,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.confirmations.confirm(body);
    setDeviceCookie(reply);
  }
}
