import { Controller, Get, Header } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '../auth/authenticated.decorator.js';
import { Jwks } from './jwks.schemas.js';
import { JWKS_MAX_AGE_SECONDS } from './signing-keys.rotation.js';
import { SigningKeysService } from './signing-keys.service.js';

@ApiTags('tokens')
@Controller('.well-known')
export class JwksController {
  constructor(private readonly keys: SigningKeysService) {}

  @Get('jwks.json')
  @Public()
  @Header('Cache-Control', `public, max-age=${JWKS_MAX_AGE_SECONDS}`)
  @ApiOperation({ summary: 'The public keys that verify access tokens' })
  @ApiResponse({
    status: 200,
    description: 'Those that sign now, next, or did until lately',
    standardSchema: Jwks,
  })
  jwks(): Jwks {
    return this.keys.jwks();
  }
}
