import { Controller, Get, Header, Headers, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../../../auth/authenticated.decorator.js';
import { sha256 } from '../../../platform/crypto/secret.js';
import { Jwks } from './signing-keys.schemas.js';
import { JWKS_MAX_AGE_SECONDS } from './signing-keys.rotation.js';
import { SigningKeysService } from './signing-keys.service.js';

const ETAG = {
  ETag: { description: 'Changes with the keys', required: true, schema: { type: 'string' } },
} as const;

interface Described {
  readonly kids: string;
  readonly body: Buffer;
  readonly etag: string;
}

@ApiTags('tokens')
@Controller('.well-known')
export class JwksController {
  #described: Described | undefined;

  constructor(private readonly keys: SigningKeysService) {}

  @Get('jwks.json')
  @Public()
  @Header('Cache-Control', `public, max-age=${JWKS_MAX_AGE_SECONDS}`)
  @Header('Content-Type', 'application/json; charset=utf-8')
  @ApiOperation({ summary: 'Get the public keys that verify access tokens' })
  @ApiResponse({
    status: 200,
    description: 'The active, next and retired keys. The first one is active.',
    headers: ETAG,
    standardSchema: Jwks,
  })
  @ApiResponse({ status: 304, description: 'The keys match `If-None-Match`', headers: ETAG })
  jwks(@Headers('if-none-match') known: string | undefined, @Res() reply: FastifyReply): void {
    const { body, etag } = this.#describe(this.keys.jwks());
    void reply.header('ETag', etag);
    if (names(known, etag)) void reply.status(304).send();
    else void reply.send(body);
  }

  /** A kid is the thumbprint of its key, so the body is built only when the list of kids changes. */
  #describe(jwks: Jwks): Described {
    const kids = jwks.keys.map(({ kid }) => kid).join();
    if (kids !== this.#described?.kids) {
      const text = JSON.stringify(jwks);
      this.#described = { kids, body: Buffer.from(text), etag: `"${sha256(text).toString('base64url')}"` };
    }
    return this.#described;
  }
}

/** Whether If-None-Match has this ETag or `*`. A weak tag matches too (RFC 9110 section 13.1.2). */
function names(header = '', etag: string): boolean {
  const tags: string[] = header.match(/"[^"]*"|\*/g) ?? [];
  return tags.includes('*') || tags.includes(etag);
}
