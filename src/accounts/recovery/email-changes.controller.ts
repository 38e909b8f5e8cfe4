import { Body, Controller, HttpCode, Post, Put } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Authenticated, Public } from '../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import { MayAnswer } from '../../web/openapi/may-answer.decorator.js';
import { MailAccepted } from '../users/users.schemas.js';
import { EmailChangesService } from './email-changes.service.js';
import { EmailChangeLinksService } from './email-change-links.service.js';
import { EmailChangeRequest, EmailChangeUndo } from './recovery.schemas.js';

@ApiTags('users')
@Controller('v1')
export class EmailChangesController {
  constructor(
    private readonly links: EmailChangeLinksService,
    private readonly changes: EmailChangesService,
  ) {}

  @Put('users/me/email')
  @Authenticated({
    modes: 'person',
    scopes: ['account:security'],
    recentSignIn: true,
    secondFactor: 'where-enrolled',
    live: true,
  })
  @HttpCode(202)
  @MayAnswer('rate-limited')
  @ApiOperation({
    summary: 'Change my address',
    description:
      'The new address gets a link. `PUT /v1/email-verifications` with its token changes the address, while the sign-in that requested the change is alive and the password is the same. The old address then gets a link that undoes the change for 72 hours. The answer is the same if another account has the new address: the mail says so.',
  })
  @ApiResponse({
    status: 202,
    description: 'A mail is sent to the new address',
    standardSchema: MailAccepted,
  })
  async request(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: EmailChangeRequest }) body: EmailChangeRequest,
  ): Promise<MailAccepted> {
    await this.links.request(principal, body);
    return { message: 'Check the mail of your new address to continue.' };
  }

  @Post('email-changes/undo')
  @Public({ rateLimit: { policy: 'email-change-undos', requests: 300, windowSeconds: 600 } })
  @HttpCode(204)
  @MayAnswer('invalid-one-time-token', 'address-taken')
  @ApiOperation({
    summary: 'Undo a change of my address with the token of the link',
    description:
      'Later changes are undone too. Every sign-in ends, and the old address gets a link to set a new password.',
  })
  @ApiResponse({ status: 204, description: 'The account has its old address again' })
  async undo(@Body({ schema: EmailChangeUndo }) body: EmailChangeUndo): Promise<void> {
    await this.changes.undo(body.token);
  }
}
