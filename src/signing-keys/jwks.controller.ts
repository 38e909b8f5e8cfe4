import { Controller, Get, Header, Headers, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../auth/authenticated.decorator.js';
import { sha256 } from '../crypto/secret.js';
import { Jwks } from './jwks.schemas.js';
import { JWKS_MAX_AGE_SECONDS } from './signing-keys.rotation.js';
import { SigningKeysService } from './signing-keys.service.js';

const ETAG = {
  ETag: { description: 'Of these keys', required: true, schema: { type: 'string' } },
} as const;

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
    description: 'Those that sign now, next, or did until lately. The first one signs now.',
    headers: ETAG,
    standardSchema: Jwks,
  })
  @ApiResponse({ status: 304, description: 'The keys that If-None-Match names', headers: ETAG })
  jwks(@Headers('if-none-match') known: string | undefined, @Res() reply: FastifyReply): void {
    const jwks: Jwks = this.keys.jwks();
    const etag = `"${sha256(JSON.stringify(jwks)).toString('base64url')}"`;
    void reply.header('ETag', etag);
    if (names(known, etag)) void reply.status(304).send();
    else void reply.send(jwks);
  }
}

/** Whether If-None-Match names an ETag: `*`, or a list in which a weak one is as good (RFC 9110 13.1.2). */
function names(header = '', etag: string): boolean {
  return header.split(',').some((tag) => ['*', etag, `W/${etag}`].includes(tag.trim()));
}
