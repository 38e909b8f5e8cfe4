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
  @Public({ rateLimit: { policy: 'registrations', requests: 100, windowSeconds: 600 } })
  @HttpCode(202)
  @MayAnswer('busy')
  @ApiOperation({
    summary: 'Register',
    description:
      'The answer is the same for a free and for a taken address. Only the mail says which. While the address is unconfirmed, each registration has its own password and link. The first confirmed registration becomes the account.',
  })
  @ApiResponse({ status: 202, description: 'A mail was sent', standardSchema: MailAccepted })
  async register(@Body({ schema: RegistrationRequest }) body: RegistrationRequest): Promise<MailAccepted> {
    await this.registrations.register(body);
    return { message: 'Check your email to continue.' };
  }

  @Get('users/me')
  @Authenticated({ modes: 'any', user: true, scopes: ['profile:read'] })
  @ApiOperation({ summary: 'Get my profile' })
  @ApiResponse({ status: 200, description: 'The user behind the credential', standardSchema: UserView })
  async me(@CurrentPrincipal() principal: Principal): Promise<UserView> {
    return showUser(await this.users.get(principal.userId));
  }

  @Patch('users/me')
  @Authenticated({ modes: 'person', scopes: ['profile:write'] })
  @ApiOperation({ summary: 'Change my name' })
  @ApiResponse({ status: 200, description: 'The updated user', standardSchema: UserView })
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
    summary: 'Request a new link to confirm my address',
    description:
      'The link sets a new password, because this request proves no password. Earlier links work until they expire. The answer and its time are the same for every address. Each address gets at most 5 links per hour.',
  })
  @ApiResponse({
    status: 202,
    description: 'A mail was sent if the address is registered and unconfirmed',
    standardSchema: MailAccepted,
  })
  async requestVerification(
    @Body({ schema: VerificationRequest }) body: VerificationRequest,
  ): Promise<MailAccepted> {
    await this.verifications.request(body.email);
    return { message: 'If this address is registered and unconfirmed, a mail was sent to it.' };
  }
}
