import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Public } from '../../auth/authenticated.decorator.js';
import { RouteTable } from '../../auth/route-table.js';
import { userScopes } from '../../auth/scopes.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { sharedBody } from '../../web/pages/shared-body.js';
import { OpenApiController } from '../../web/openapi/openapi.controller.js';
import { JwksController } from '../../modes/jwt/signing-keys/jwks.controller.js';
import { OAuthController } from './oauth.controller.js';
import { GRANT_TYPES } from './grants.service.js';
import { Metadata } from './oauth.schemas.js';

const WITH_SECRET = ['client_secret_basic', 'client_secret_post'];

@ApiTags('oauth')
@Controller('.well-known')
export class MetadataController {
  readonly #body = sharedBody(() => JSON.stringify(this.#metadata()));

  constructor(
    private readonly routes: RouteTable,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get('oauth-authorization-server')
  @Public()
  @Header('Cache-Control', 'public, max-age=300')
  @Header('Content-Type', 'application/json; charset=utf-8')
  @ApiOperation({ summary: 'Get the metadata of this authorization server' })
  @ApiResponse({ status: 200, description: 'The metadata', standardSchema: Metadata })
  metadata(): Buffer {
    return this.#body();
  }

  #metadata(): z.infer<typeof Metadata> {
    const { ISSUER, DOCS } = this.config;
    const endpoint = (method: keyof OAuthController) => ISSUER + this.routes.pathOf(OAuthController, method);
    return {
      issuer: ISSUER,
      token_endpoint: endpoint('token'),
      introspection_endpoint: endpoint('introspect'),
      revocation_endpoint: endpoint('revoke'),
      jwks_uri: ISSUER + this.routes.pathOf(JwksController, 'jwks'),
      scopes_supported: [...userScopes()],
      // Required by RFC 8414. Empty, because there is no authorization endpoint.
      response_types_supported: [],
      grant_types_supported: [...GRANT_TYPES],
      token_endpoint_auth_methods_supported: [...WITH_SECRET, 'none'],
      introspection_endpoint_auth_methods_supported: WITH_SECRET,
      revocation_endpoint_auth_methods_supported: [...WITH_SECRET, 'none'],
      ...(DOCS && { service_documentation: ISSUER + this.routes.pathOf(OpenApiController, 'page') }),
    };
  }
}
