import { z } from 'zod';

const text = { type: 'string' } as const;
const uri = { type: 'string', format: 'uri' } as const;
const CLIENT = { client_id: text, client_secret: text };
const TOKEN = {
  token: text,
  token_type_hint: { ...text, description: 'Not needed: a token says of what kind it is' },
};

const form = (required: string[], properties: Record<string, object>) => ({
  schema: { type: 'object' as const, required, properties: { ...properties, ...CLIENT } },
});

/** For the API reference. What the endpoints do not know is ignored (RFC 6749 3.2). */
export const TokenForm = (grantTypes: readonly string[]) =>
  form(['grant_type'], {
    grant_type: { ...text, enum: grantTypes },
    refresh_token: text,
    scope: text,
    resource: uri,
    audience: text,
    subject_token: text,
    subject_token_type: text,
    requested_token_type: text,
  });
export const TokenLookupForm = form(['token'], TOKEN);

export const OAuthTokenResponse = z
  .object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int(),
    scope: z.string(),
    refresh_token: z.string().optional(),
    issued_token_type: z.string().optional().meta({ description: 'Of an exchange' }),
  })
  .meta({ id: 'OAuthTokenResponse' });

export const Introspection = z
  .object({
    active: z.boolean(),
    iss: z.string().optional(),
    sub: z.string().optional(),
    aud: z.string().optional(),
    client_id: z.string().optional(),
    scope: z.string().optional(),
    token_type: z.string().optional(),
    jti: z.string().optional(),
    sid: z.string().optional(),
    iat: z.int().optional(),
    exp: z.int().optional(),
    auth_time: z.int().optional(),
  })
  .meta({ id: 'Introspection', description: 'RFC 7662' });

export const Revoked = z.strictObject({}).meta({ id: 'Revoked', description: 'RFC 7009' });

export const OAuthErrorBody = z
  .object({ error: z.string(), error_description: z.string() })
  .meta({ id: 'OAuthError', description: 'RFC 6749 5.2' });

export const Metadata = z
  .object({
    issuer: z.string(),
    token_endpoint: z.string(),
    introspection_endpoint: z.string(),
    revocation_endpoint: z.string(),
    jwks_uri: z.string(),
    scopes_supported: z.array(z.string()),
    response_types_supported: z.array(z.string()),
    grant_types_supported: z.array(z.string()),
    token_endpoint_auth_methods_supported: z.array(z.string()),
    introspection_endpoint_auth_methods_supported: z.array(z.string()),
    revocation_endpoint_auth_methods_supported: z.array(z.string()),
    service_documentation: z.string().optional().meta({ description: 'Where the API reference is on' }),
  })
  .meta({ id: 'AuthorizationServerMetadata', description: 'RFC 8414' });
