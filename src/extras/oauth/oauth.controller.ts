import { applyDecorators, Controller, Header, HttpCode, Post } from '@nestjs/common';
import {
  ApiBody,
  type ApiBodyOptions,
  ApiOperation,
  type ApiOperationOptions,
  ApiResponse,
  ApiSecurity,
  ApiTags,
} from '@nestjs/swagger';
import type { z } from 'zod';
import { Public } from '../../auth/authenticated.decorator.js';
import { AcceptBody, ExtendRouteConfig, FORM_TYPE } from '../../web/http/accept-body.decorator.js';
import { defineSecurityScheme } from '../../web/openapi/security-schemes.js';
import { GRANT_TYPES, GrantsService } from './grants.service.js';
import { IntrospectionService } from './introspection.service.js';
import { oauthBody } from './oauth-answer.js';
import { OAuthClients } from './oauth-clients.service.js';
import { Form, OAuthRequest } from './oauth-request.js';
import {
  Introspection,
  OAuthErrorBody,
  OAuthTokenResponse,
  Revoked,
  TOKEN_EXAMPLES,
  TokenForm,
  TokenLookupForm,
} from './oauth.schemas.js';

const REFUSALS: Record<number, string> = {
  400: '`invalid_request`, or another code of RFC 6749 section 5.2',
  401: '`invalid_client`',
  403: '`insufficient_scope`, or a request over plain http',
  413: 'The body is too large',
  415: 'The body is not form-encoded',
  429: '`temporarily_unavailable`: the rate limit of the key, or the limit of failures of the address, is exceeded',
  500: '`server_error`',
  503: '`temporarily_unavailable`',
};

const CLIENT = defineSecurityScheme('client', {
  type: 'http',
  scheme: 'basic',
  description:
    'RFC 6749 section 2.3.1: the id of an API key as the user, and the key as the password. The form can carry them instead, as `client_id` and `client_secret`',
});

/** Declares an OAuth endpoint. It is public for the guard, because the form can carry the client authentication. */
const OAuthEndpoint = (
  operation: ApiOperationOptions,
  body: { standardSchema: z.ZodType; examples?: object },
) =>
  applyDecorators(
    Public(),
    HttpCode(200),
    ApiSecurity(CLIENT),
    ApiOperation(operation),
    AcceptBody({ as: 'form', types: [FORM_TYPE] }),
    ExtendRouteConfig({ problemBody: oauthBody }),
    // The types of @nestjs/swagger do not have `standardSchema` yet.
    ApiBody(body as ApiBodyOptions),
    ...Object.entries(REFUSALS).map(([status, description]) =>
      ApiResponse({ status: Number(status), description, standardSchema: OAuthErrorBody }),
    ),
  );

@ApiTags('oauth')
@Controller('oauth')
export class OAuthController {
  constructor(
    private readonly clients: OAuthClients,
    private readonly grants: GrantsService,
    private readonly introspection: IntrospectionService,
  ) {}

  @Post('token')
  // RFC 6749 section 5.1 requires it in addition to `Cache-Control: no-store`.
  @Header('Pragma', 'no-cache')
  @OAuthEndpoint(
    { operationId: 'requestToken', summary: 'Get a token with an API key or a refresh token' },
    { standardSchema: TokenForm(GRANT_TYPES), examples: TOKEN_EXAMPLES },
  )
  @ApiResponse({ status: 200, description: 'The token', standardSchema: OAuthTokenResponse })
  async token(@Form() request: OAuthRequest): Promise<object> {
    return this.grants.grant(request, await this.clients.authenticate(request.client));
  }

  @Post('introspect')
  @OAuthEndpoint(
    { operationId: 'introspectToken', summary: 'Introspect a token' },
    { standardSchema: TokenLookupForm },
  )
  @ApiResponse({
    status: 200,
    description: 'The data of a valid token, or `active: false`',
    standardSchema: Introspection,
  })
  introspect(@Form() request: OAuthRequest): Promise<object> {
    return this.introspection.introspect(request);
  }

  @Post('revoke')
  @OAuthEndpoint(
    { operationId: 'revokeToken', summary: 'Revoke a token' },
    { standardSchema: TokenLookupForm },
  )
  @ApiResponse({
    status: 200,
    description: 'The token is not valid',
    standardSchema: Revoked,
  })
  async revoke(@Form() request: OAuthRequest): Promise<object> {
    await this.introspection.revoke(request);
    // RFC 7009 section 2.2 requires no body, but some clients parse one.
    return {};
  }
}
