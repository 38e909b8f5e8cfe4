import { z } from 'zod';

const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';
const text = (description: string) => z.string().optional().meta({ description });
const CLIENT = {
  client_id: text('`first-party`, or the id of an API key; not needed with HTTP Basic'),
  client_secret: text('The API key; not needed with HTTP Basic'),
};

/** For the API reference. What the endpoints do not know is ignored (RFC 6749 3.2). */
export const TokenForm = (grantTypes: readonly [string, ...string[]]) =>
  z
    .looseObject({
      grant_type: z.enum(grantTypes).meta({ description: 'What the token is asked for with' }),
      refresh_token: text('With `refresh_token`: the one to use'),
      scope: text('Separated by spaces. All that the credential has by default'),
      resource: z.url().optional().meta({ description: 'RFC 8707: which of the audiences it is for' }),
      audience: text('RFC 8693: the same, as a name'),
      subject_token: text('With an exchange: the API key'),
      subject_token_type: text('With an exchange'),
      requested_token_type: text('With an exchange'),
      ...CLIENT,
    })
    .meta({ id: 'OAuthTokenForm', description: 'RFC 6749 4.4.2 and 6, RFC 8693 2.1' });

export const TOKEN_EXAMPLES = {
  client_credentials: {
    summary: 'A token for an API key',
    value: { grant_type: 'client_credentials', client_id: 'the id of the key', client_secret: 'the key' },
  },
  refresh_token: {
    summary: 'The next pair of tokens of a person',
    value: { grant_type: 'refresh_token', client_id: 'first-party', refresh_token: 'the refresh token' },
  },
  token_exchange: {
    summary: 'A narrower token for an API key',
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
    token_type_hint: text('Not needed: a token says of what kind it is'),
    ...CLIENT,
  })
  .meta({ id: 'OAuthTokenLookupForm', description: 'RFC 7662 2.1 and RFC 7009 2.1' });

export const OAuthTokenResponse = z
  .object({
    access_token: z.string().describe('To be sent as `Authorization: Bearer`'),
    token_type: z.literal('Bearer').describe('RFC 6750'),
    expires_in: z.int().describe('Seconds'),
    scope: z.string().describe('What the token can do, separated by spaces'),
    refresh_token: z.string().optional().describe('Of a person'),
    issued_token_type: z.string().optional().meta({ description: 'Of an exchange' }),
  })
  .meta({ id: 'OAuthTokenResponse', description: 'RFC 6749 5.1' });

export const Introspection = z
  .object({
    active: z.boolean().describe('Whether it works here and now'),
    iss: z.string().optional().describe('Who issued it'),
    sub: z.string().optional().describe('Whom it speaks for'),
    aud: z.string().optional().describe('Which audience it is for'),
    client_id: z.string().optional().describe('Which client got it'),
    scope: z.string().optional().describe('What it can do, separated by spaces'),
    token_type: z.string().optional().describe('`Bearer`'),
    jti: z.string().optional().describe('Names the token'),
    sid: z.string().optional().describe('The sign-in behind it'),
    iat: z.int().optional().describe('When it was issued, in seconds'),
    exp: z.int().optional().describe('When it expires, in seconds'),
    auth_time: z.int().optional().describe('When the person last proved who they are, in seconds'),
  })
  .meta({ id: 'Introspection', description: 'RFC 7662' });

export const Revoked = z.strictObject({}).meta({ id: 'Revoked', description: 'RFC 7009' });

export const OAuthErrorBody = z
  .object({
    error: z.string().describe('A code'),
    error_description: z.string().describe('What is wrong with this request'),
  })
  .meta({ id: 'OAuthError', description: 'RFC 6749 5.2' });

export const Metadata = z
  .object({
    issuer: z.string().describe('The `iss` of tokens'),
    token_endpoint: z.string().describe('Where tokens are requested'),
    introspection_endpoint: z.string().describe('Where tokens are looked up'),
    revocation_endpoint: z.string().describe('Where tokens are revoked'),
    jwks_uri: z.string().describe('Where the keys are that verify tokens'),
    scopes_supported: z.array(z.string()).describe('What tokens can ask for'),
    response_types_supported: z.array(z.string()).describe('None: there is no authorization endpoint'),
    grant_types_supported: z.array(z.string()).describe('What tokens are requested with'),
    token_endpoint_auth_methods_supported: z.array(z.string()).describe('How clients authenticate there'),
    introspection_endpoint_auth_methods_supported: z
      .array(z.string())
      .describe('How clients authenticate there'),
    revocation_endpoint_auth_methods_supported: z
      .array(z.string())
      .describe('How clients authenticate there'),
    service_documentation: z.string().optional().describe('The API reference, where it is on'),
  })
  .meta({ id: 'AuthorizationServerMetadata', description: 'RFC 8414' });
