import { Body, Controller, HttpCode, Put } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '../../auth/authenticated.decorator.js';
import { MayAnswer } from '../../web/openapi/may-answer.decorator.js';
import { Verification } from '../users/users.schemas.js';
import { ConfirmationsService } from './confirmations.service.js';

/** In this room rather than in `users`, since it can end sign-ins. */
@ApiTags('users')
@Controller('v1/email-verifications')
export class ConfirmationsController {
  constructor(private readonly confirmations: ConfirmationsService) {}

  @Put()
  @Public()
  @HttpCode(204)
  @MayAnswer('invalid-one-time-token', 'already-confirmed', 'busy')
  @ApiOperation({
    summary: 'Confirm my address with the token of the link',
    description:
      'The link of a registration confirms that registration, with its password: send `{ token }`. A link from `POST /v1/email-verifications` sets a new password: send `{ token, newPassword }`; without `newPassword` the answer is 400 `validation-failed` with the pointer `/newPassword`, and the link still works. The first link that is confirmed decides. If another person used the account until then, their sign-ins and keys end.',
  })
  @ApiResponse({ status: 204, description: 'Confirmed' })
  async confirm(@Body({ schema: Verification }) body: Verification): Promise<void> {
    await this.confirmations.confirm(body);
  }
}
