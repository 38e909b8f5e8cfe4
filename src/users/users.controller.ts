import { Body, Controller, Get, HttpCode, Patch, Post, Put } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Authenticated, Public } from '../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../auth/current-principal.decorator.js';
import type { Principal } from '../auth/principal.js';
import { MayAnswer } from '../openapi/may-answer.decorator.js';
import { EmailVerificationsService } from './email-verifications.service.js';
import { showUser } from './user-view.js';
import {
  ProfileChange,
  Registration,
  MailAccepted,
  UserView,
  Verification,
  VerificationRequest,
} from './users.schemas.js';
import { UsersService } from './users.service.js';

@ApiTags('users')
@Controller('v1')
export class UsersController {
  constructor(
    private readonly users: UsersService,
    private readonly verifications: EmailVerificationsService,
  ) {}

  @Post('users')
  @Public()
  @HttpCode(202)
  @MayAnswer('busy')
  @ApiOperation({
    summary: 'Register',
    description: 'The answer is the same whether the address was free or taken; the mail says which.',
  })
  @ApiResponse({ status: 202, description: 'A mail is on its way', standardSchema: MailAccepted })
  async register(@Body({ schema: Registration }) body: Registration): Promise<MailAccepted> {
    await this.users.register(body);
    return { message: 'A mail to this address says how to go on.' };
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
  @Public()
  @HttpCode(202)
  @ApiOperation({ summary: 'Mail me a new link to confirm my address' })
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

  @Put('email-verifications')
  @Public()
  @HttpCode(204)
  @MayAnswer('invalid-one-time-token')
  @ApiOperation({ summary: 'Confirm my address with the token of the link' })
  @ApiResponse({ status: 204, description: 'Confirmed' })
  async confirmVerification(@Body({ schema: Verification }) body: Verification): Promise<void> {
    await this.verifications.confirm(body.token);
  }
}
