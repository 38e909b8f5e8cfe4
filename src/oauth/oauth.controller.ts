import { applyDecorators, Controller, Header, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '../auth/authenticated.decorator.js';
import { GRANT_TYPES, GrantsService } from './grants.service.js';
import { IntrospectionService } from './introspection.service.js';
import { OAuthClients } from './oauth-clients.service.js';
import { Form, OAuthRequest } from './oauth-request.js';
import {
  Introspection,
  OAuthErrorBody,
  OAuthTokenResponse,
  Revoked,
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

/** What an endpoint takes and how it refuses. Public: the client is in the form, where no guard reads it. */
const OAuthEndpoint = (summary: string, body: typeof TokenLookupForm) =>
  applyDecorators(
    Public(),
    HttpCode(200),
    ApiOperation({ summary }),
    ApiConsumes('application/x-www-form-urlencoded'),
    ApiBody(body),
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
  @OAuthEndpoint('Get a token for a key, or for a refresh token', TokenForm(GRANT_TYPES))
  @ApiResponse({ status: 200, description: 'The token', standardSchema: OAuthTokenResponse })
  async token(@Form() request: OAuthRequest): Promise<object> {
    return this.grants.grant(request, await this.clients.authenticate(request.client));
  }

  @Post('introspect')
  @OAuthEndpoint('Ask what a token is', TokenLookupForm)
  @ApiResponse({ status: 200, description: 'What it is, if it works', standardSchema: Introspection })
  introspect(@Form() request: OAuthRequest): Promise<object> {
    return this.introspection.introspect(request);
  }

  @Post('revoke')
  @OAuthEndpoint('Take a token back', TokenLookupForm)
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
