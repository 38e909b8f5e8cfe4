import { Body, Controller, Get, HttpCode, Patch, Post } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Authenticated, Public } from '../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import { MayAnswer } from '../../web/openapi/may-answer.decorator.js';
import { EmailVerificationsService } from './email-verifications.service.js';
import { RegistrationsService } from './registrations.service.js';
import { showUser } from './user-view.js';
import {
  MailAccepted,
  ProfileChange,
  RegistrationRequest,
  UserView,
  VerificationRequest,
} from './users.schemas.js';
import { UsersService } from './users.service.js';

@ApiTags('users')
@Controller('v1')
export class UsersController {
  constructor(
    private readonly users: UsersService,
    private readonly registrations: RegistrationsService,
    private readonly verifications: EmailVerificationsService,
  ) {}

  @Post('users')
  @Public()
  @HttpCode(202)
  @MayAnswer('busy')
  @ApiOperation({
    summary: 'Register',
    description:
      'The answer is the same whether the address was free or taken; the mail says which. While nobody has confirmed the address, each registration has its own password and link, and the first one that is confirmed becomes the account.',
  })
  @ApiResponse({ status: 202, description: 'A mail is on its way', standardSchema: MailAccepted })
  async register(@Body({ schema: RegistrationRequest }) body: RegistrationRequest): Promise<MailAccepted> {
    await this.registrations.register(body);
    return { message: 'Check your email to continue.' };
  }

  @Get('users/me')
  @Authenticated({ modes: 'any', user: true, scopes: ['profile:read'] })
  @ApiOperation({ summary: 'Who I am' })
  @ApiResponse({ status: 200, description: 'The user behind the credential', standardSchema: UserView })
  async me(@CurrentPrincipal() principal: Principal): Promise<UserView> {
    return showUser(await this.users.get(principal.userId));
  }

  @Patch('users/me')
  @Authenticated({ modes: 'person', scopes: ['profile:write'] })
  @ApiOperation({ summary: 'Change my name' })
  @ApiResponse({ status: 200, description: 'The user as it is now', standardSchema: UserView })
  async changeProfile(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: ProfileChange }) body: ProfileChange,
  ): Promise<UserView> {
    return showUser(await this.users.changeProfile(principal.userId, body));
  }

  @Post('email-verifications')
  @Public({ rateLimit: { policy: 'email-verifications', requests: 300, windowSeconds: 600 } })
  @HttpCode(202)
  @ApiOperation({
    summary: 'Mail me a new link to confirm my address',
    description:
      'The link sets a new password, since asking for it proves no password. An earlier link works until it expires. The answer and its time are the same for every address, and at most 5 links are mailed to one in an hour.',
  })
  @ApiResponse({
    status: 202,
    description: 'If there is an address to confirm, a mail is on its way',
    standardSchema: MailAccepted,
  })
  async requestVerification(
    @Body({ schema: VerificationRequest }) body: VerificationRequest,
  ): Promise<MailAccepted> {
    await this.verifications.request(body.email);
    return { message: 'If this address is to be confirmed, a mail is on its way.' };
  }
}
