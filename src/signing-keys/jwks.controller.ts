import { Controller, Get, Header } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '../auth/authenticated.decorator.js';
import { sharedBody } from '../http/shared-body.js';
import { Jwks } from './jwks.schemas.js';
import { JWKS_MAX_AGE_SECONDS } from './signing-keys.rotation.js';
import { SigningKeysService } from './signing-keys.service.js';

@ApiTags('tokens')
@Controller('.well-known')
export class JwksController {
  #kids = '';
  #body = sharedBody(() => '');

  constructor(private readonly keys: SigningKeysService) {}

  @Get('jwks.json')
  @Public()
  @Header('Cache-Control', `public, max-age=${JWKS_MAX_AGE_SECONDS}`)
  @Header('Content-Type', 'application/json; charset=utf-8')
  @ApiOperation({ summary: 'The public keys that verify access tokens' })
  @ApiResponse({
    status: 200,
    description: 'Those that sign now, next, or did until lately',
    standardSchema: Jwks,
  })
  jwks(): Buffer {
    const jwks = this.keys.jwks();
    // A kid is the thumbprint of its key: the same ones are the same answer.
    const kids = jwks.keys.map(({ kid }) => kid).join();
    if (kids !== this.#kids) {
      this.#kids = kids;
      this.#body = sharedBody(() => JSON.stringify(jwks));
    }
    return this.#body();
  }
}
