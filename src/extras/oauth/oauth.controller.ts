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
  400: '`invalid_request`, or what RFC 6749 5.2 names',
  401: '`invalid_client`',
  403: '`insufficient_scope`, or plain http',
  413: 'The body is too large',
  415: 'The body is no form',
  429: '`temporarily_unavailable`: the key’s rate limit is used up',
  500: '`server_error`',
  503: '`temporarily_unavailable`',
};

const CLIENT = defineSecurityScheme('client', {
  type: 'http',
  scheme: 'basic',
  description:
    'RFC 6749 2.3.1: the id of an API key as the user, and the key as the password. They can be in the form instead, as `client_id` and `client_secret`',
});

/** What an endpoint takes and how it refuses. Public: the client is in the form, where no guard reads it. */
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
    ExtendRouteConfig({ oauthErrors: true }),
    // Its types do not know `standardSchema` yet.
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
  // RFC 6749 5.1, beside `Cache-Control: no-store`
  @Header('Pragma', 'no-cache')
  @OAuthEndpoint(
    { operationId: 'requestToken', summary: 'Get a token for a key, or for a refresh token' },
    { standardSchema: TokenForm(GRANT_TYPES), examples: TOKEN_EXAMPLES },
  )
  @ApiResponse({ status: 200, description: 'The token', standardSchema: OAuthTokenResponse })
  async token(@Form() request: OAuthRequest): Promise<object> {
    return this.grants.grant(request, await this.clients.authenticate(request.client));
  }

  @Post('introspect')
  @OAuthEndpoint(
    { operationId: 'introspectToken', summary: 'Ask what a token is' },
    { standardSchema: TokenLookupForm },
  )
  @ApiResponse({ status: 200, description: 'What it is, if it works', standardSchema: Introspection })
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
    description: 'The token is not valid, if it ever was',
    standardSchema: Revoked,
  })
  async revoke(@Form() request: OAuthRequest): Promise<object> {
    await this.introspection.revoke(request);
    // RFC 7009 2.2 asks for no body, but clients parse one.
    return {};
  }
}
