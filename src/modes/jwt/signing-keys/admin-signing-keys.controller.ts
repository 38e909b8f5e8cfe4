import { Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Authenticated } from '../../../auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../../auth/current-principal.decorator.js';
import type { Principal } from '../../../auth/principal.js';
import { SigningKeyRotation } from './signing-keys.rotation.js';
import { showSigningKeys, SigningKeyList, SigningKeyQuery } from './signing-keys.schemas.js';

@ApiTags('administration')
@Controller('v1/admin/signing-keys')
@Authenticated({
  modes: 'person',
  scopes: ['admin:signing-keys'],
  recentSignIn: true,
  secondFactor: 'where-enrolled',
  live: true,
})
export class SigningKeysController {
  constructor(private readonly rotation: SigningKeyRotation) {}

  @Get()
  @ApiOperation({ summary: 'List the signing keys, newest first' })
  @ApiResponse({ status: 200, description: 'A page of keys', standardSchema: SigningKeyList })
  async list(@Query({ schema: SigningKeyQuery }) query: SigningKeyQuery): Promise<SigningKeyList> {
    return showSigningKeys(await this.rotation.list(), query);
  }

  @Post()
  @ApiOperation({
    summary: 'Rotate the signing keys',
    description:
      'The next key becomes active, and a new next key is created. The old active key retires: it verifies tokens until the last one has expired. No token is refused.',
  })
  @ApiResponse({
    status: 201,
    description: 'The first page of the keys after the rotation',
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
      'All nodes refuse all tokens of the key at once. If the key is active, the next key becomes active.',
  })
  @ApiParam({ name: 'kid', description: 'RFC 7638 thumbprint', schema: { type: 'string' } })
  @ApiResponse({ status: 204, description: 'Revoked' })
  async revoke(@CurrentPrincipal() principal: Principal, @Param('kid') kid: string): Promise<void> {
    await this.rotation.revoke(kid, principal);
  }
}
