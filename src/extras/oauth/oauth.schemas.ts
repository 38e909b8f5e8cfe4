import { z } from 'zod';

const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';
const text = (description: string) => z.string().optional().meta({ description });
const CLIENT = {
  client_id: text('`first-party`, or the id of an API key. Not needed with HTTP Basic'),
  client_secret: text('The API key. Not needed with HTTP Basic'),
};

/** For the API reference. The endpoints ignore unknown parameters (RFC 6749 section 3.2). */
export const TokenForm = (grantTypes: readonly [string, ...string[]]) =>
  z
    .looseObject({
      grant_type: z.enum(grantTypes).meta({ description: 'The grant type' }),
      refresh_token: text('For `refresh_token`: the refresh token'),
      scope: text('Scopes, separated by spaces. Default: all scopes of the credential'),
      resource: z.url().optional().meta({ description: 'The audience of the token (RFC 8707)' }),
      audience: text('Means the same as `resource` (RFC 8693)'),
      subject_token: text('For a token exchange: the API key'),
      subject_token_type: text('For a token exchange'),
      requested_token_type: text('For a token exchange'),
      ...CLIENT,
    })
    .meta({ id: 'OAuthTokenForm', description: 'RFC 6749 sections 4.4.2 and 6, RFC 8693 section 2.1' });

export const TOKEN_EXAMPLES = {
  client_credentials: {
    summary: 'Get a token with an API key',
    value: { grant_type: 'client_credentials', client_id: 'the id of the key', client_secret: 'the key' },
  },
  refresh_token: {
    summary: 'Get a new pair of tokens with a refresh token',
    value: { grant_type: 'refresh_token', client_id: 'first-party', refresh_token: 'the refresh token' },
  },
  token_exchange: {
    summary: 'Exchange an API key for a narrower token',
    value: {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      client_id: 'the id of the key',
      client_secret: 'the key',
      subject_token: 'the key',
      subject_token_type: TOKEN_TYPE,
      scope: 'orders:read',
    },
  },
};

export const TokenLookupForm = z
  .looseObject({
    token: z.string().meta({ description: 'The token', examples: ['at_unknown'] }),
    token_type_hint: text('Ignored: the form of a token shows its kind'),
    ...CLIENT,
  })
  .meta({ id: 'OAuthTokenLookupForm', description: 'RFC 7662 section 2.1, RFC 7009 section 2.1' });

export const OAuthTokenResponse = z
  .object({
    access_token: z.string().describe('Send it as `Authorization: Bearer`'),
    token_type: z.literal('Bearer').describe('RFC 6750'),
    expires_in: z.int().describe('Lifetime in seconds'),
    scope: z.string().describe('The granted scopes, separated by spaces'),
    refresh_token: z.string().optional().describe('For a person only'),
    issued_token_type: z.string().optional().meta({ description: 'For a token exchange only' }),
  })
  .meta({ id: 'OAuthTokenResponse', description: 'A token response (RFC 6749 section 5.1)' });

export const Introspection = z
  .object({
    active: z.boolean().describe('Whether the token is valid now'),
    iss: z.string().optional().describe('The issuer'),
    sub: z.string().optional().describe('The user or service account'),
    aud: z.string().optional().describe('The audience'),
    client_id: z.string().optional().describe('The client that the token was issued to'),
    scope: z.string().optional().describe('The scopes, separated by spaces'),
    token_type: z.string().optional().describe('`Bearer`'),
    jti: z.string().optional().describe('The id of the token'),
    sid: z.string().optional().describe('The id of the sign-in'),
    iat: z.int().optional().describe('When it was issued, in seconds'),
    exp: z.int().optional().describe('When it expires, in seconds'),
    auth_time: z.int().optional().describe('When the person last proved their identity, in seconds'),
    amr: z.array(z.string()).optional().describe('How the person proved it (RFC 8176)'),
    acr: z.string().optional().describe('`aal2` for a sign-in with a second factor, otherwise `aal1`'),
  })
  .meta({ id: 'Introspection', description: 'RFC 7662' });

export const Revoked = z.strictObject({}).meta({ id: 'Revoked', description: 'RFC 7009' });

export const OAuthErrorBody = z
  .object({
    error: z.string().describe('An error code'),
    error_description: z.string().describe('An explanation for developers'),
  })
  .meta({ id: 'OAuthError', description: 'An error (RFC 6749 section 5.2)' });

export const Metadata = z
  .object({
    issuer: z.string().describe('The `iss` of tokens'),
    token_endpoint: z.string().describe('The URL of the token endpoint'),
    introspection_endpoint: z.string().describe('The URL of the introspection endpoint'),
    revocation_endpoint: z.string().describe('The URL of the revocation endpoint'),
    jwks_uri: z.string().describe('The URL of the public keys'),
    scopes_supported: z.array(z.string()).describe('The scopes that clients can request'),
    response_types_supported: z.array(z.string()).describe('Empty: there is no authorization endpoint'),
    grant_types_supported: z.array(z.string()).describe('The supported grant types'),
    token_endpoint_auth_methods_supported: z
      .array(z.string())
      .describe('The supported client authentication methods'),
    introspection_endpoint_auth_methods_supported: z
      .array(z.string())
      .describe('The supported client authentication methods'),
    revocation_endpoint_auth_methods_supported: z
      .array(z.string())
      .describe('The supported client authentication methods'),
    service_documentation: z.string().optional().describe('The URL of the API reference, if it is enabled'),
  })
  .meta({ id: 'AuthorizationServerMetadata', description: 'RFC 8414' });
