import { Body, Controller, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Authenticated } from '../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import { ResourceId } from '../../web/http/validation.js';
import { MayAnswer } from '../../web/openapi/may-answer.decorator.js';
import { ListQuery, pageOf } from '../../web/pagination/page.js';
import { UserView } from '../users/users.schemas.js';
import { RolesChange, StatusChange } from './admin.schemas.js';
import { AdminService } from './admin.service.js';

const UserPage = pageOf(UserView, 'UserPage');

/** Routes for administrators, by any mode. `live`: a lost role takes effect at once, also for a JWT. */
@ApiTags('administration')
@Controller('v1/admin/users')
@Authenticated({
  modes: 'person',
  scopes: ['admin:users'],
  recentSignIn: true,
  secondFactor: 'where-enrolled',
  live: true,
})
export class AdminController {
  constructor(private readonly admin: AdminService) {}

  @Get()
  @ApiOperation({ summary: 'List all users, newest first' })
  @ApiResponse({ status: 200, description: 'A page of users', standardSchema: UserPage })
  list(@Query({ schema: ListQuery }) query: ListQuery) {
    return this.admin.page(query);
  }

  @Put(':id/roles')
  @MayAnswer('last-administrator')
  @ApiOperation({ summary: 'Set the roles of a user', description: 'Ends all sign-ins of the user.' })
  @ApiResponse({ status: 200, description: 'The updated user', standardSchema: UserView })
  setRoles(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: ResourceId }) id: string,
    @Body({ schema: RolesChange }) body: RolesChange,
  ): Promise<UserView> {
    return this.admin.setRoles(principal, id, body.roles);
  }

  @Put(':id/status')
  @MayAnswer('last-administrator')
  @ApiOperation({
    summary: 'Disable or enable a user',
    description: 'Disabling ends sign-ins, tokens and API keys of the user at once.',
  })
  @ApiResponse({ status: 200, description: 'The updated user', standardSchema: UserView })
  setStatus(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: ResourceId }) id: string,
    @Body({ schema: StatusChange }) body: StatusChange,
  ): Promise<UserView> {
    return this.admin.setStatus(principal, id, body.status);
  }

  @Post(':id/sign-out')
  @HttpCode(204)
  @ApiOperation({ summary: 'End all sign-ins of a user' })
  @ApiResponse({ status: 204, description: 'Ended' })
  async signOut(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: ResourceId }) id: string,
  ): Promise<void> {
    await this.admin.signOut(principal, id);
  }
}
