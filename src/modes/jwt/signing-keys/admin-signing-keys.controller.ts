import { Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Authenticated } from '../../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../../auth/current-principal.decorator.js';
import type { Principal } from '../../../auth/principal.js';
import { SigningKeyRotation } from './signing-keys.rotation.js';
import { showSigningKeys, SigningKeyList, SigningKeyQuery } from './admin-signing-keys.schemas.js';

@ApiTags('administration')
@Controller('v1/admin/signing-keys')
@Authenticated({ modes: 'person', scopes: ['admin:signing-keys'], recentSignIn: true, live: true })
export class SigningKeysController {
  constructor(private readonly rotation: SigningKeyRotation) {}

  @Get()
  @ApiOperation({ summary: 'The keys that sign access tokens, newest first' })
  @ApiResponse({ status: 200, description: 'A page of keys', standardSchema: SigningKeyList })
  async list(@Query({ schema: SigningKeyQuery }) query: SigningKeyQuery): Promise<SigningKeyList> {
    return showSigningKeys(await this.rotation.list(), query);
  }

  @Post()
  @ApiOperation({
    summary: 'Rotate the signing keys',
    description:
      'The next key signs, the one before retires and verifies for as long as a token of it lives, and a new next one is made. No token is refused.',
  })
  @ApiResponse({
    status: 201,
    description: 'The first page of the keys as they are now',
    standardSchema: SigningKeyList,
  })
  async rotate(@CurrentPrincipal() principal: Principal): Promise<SigningKeyList> {
    await this.rotation.rotate(principal);
    return this.list(SigningKeyQuery.parse({}));
  }

  @Delete(':kid')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Revoke a signing key now',
    description:
      'Every token that it signed is refused at once on every node. If it is the active one, the next takes over.',
  })
  @ApiParam({ name: 'kid', description: 'RFC 7638 thumbprint', schema: { type: 'string' } })
  @ApiResponse({ status: 204, description: 'Revoked' })
  async revoke(@CurrentPrincipal() principal: Principal, @Param('kid') kid: string): Promise<void> {
    await this.rotation.revoke(kid, principal);
  }
}
