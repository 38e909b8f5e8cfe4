import { z } from 'zod';
import { isScope } from '../../auth/scopes.js';
import { signInRequest } from '../../accounts/sign-ins/sign-in-request.js';
import { describeRenewal } from '../../accounts/sign-ins/sign-ins.schemas.js';
import { tokenFormats } from './token-formats.js';

const scope = z
  .string()
  .max(1000)
  .refine((text) => text.split(' ').every(isScope), 'must be known scopes, separated by single spaces')
  .meta({
    description:
      'Scopes, separated by spaces. Default: all scopes that need no role. A scope of a role, such as `admin:users`, is granted only if it is requested here and the user has the role. The answer has the granted scopes in `scope`',
  });

/** Lazy, because rooms that define formats can be loaded later. */
const format = z
  .lazy(() => z.enum(tokenFormats()))
  .default(() => tokenFormats()[0])
  .meta({ description: 'The format of the access tokens' });

const parameters = {
  format,
  refreshIn: z
    .enum(['body', 'cookie'])
    .default('body')
    .meta({ description: 'Where the answer puts the refresh token' }),
  scope: scope.optional(),
  resource: z
    .string()
    .max(2000)
    .optional()
    .meta({ description: 'The audience of the tokens (RFC 8707), one of `AUDIENCES`' }),
};

export const TokenRequest = signInRequest(
  { id: 'TokenRequest', description: 'A sign-in by token' },
  parameters,
);
export type TokenRequest = z.infer<typeof TokenRequest>;
export type TokenParameters = NonNullable<TokenRequest['parameters']>;

export const RefreshRequest = z
  .strictObject({
    refreshToken: z.string().max(1000).optional().describe('Leave it out if the cookie carries it'),
  })
  .default({})
  .meta({ id: 'RefreshRequest', description: 'Empty if the cookie carries the refresh token' });
export type RefreshRequest = z.infer<typeof RefreshRequest>;

/** RFC 6749 section 5.1. */
export const TokenResponse = describeRenewal(
  z
    .object({
      access_token: z.string().describe('Send it as `Authorization: Bearer`'),
      token_type: z.literal('Bearer').describe('RFC 6750'),
      expires_in: z.int().meta({ description: 'Lifetime in seconds' }),
      scope: z.string().describe('The granted scopes, separated by spaces'),
      refresh_token: z.string().optional().meta({ description: 'Absent if the cookie carries it' }),
    })
    .meta({ id: 'TokenResponse', description: 'A token response (RFC 6749 section 5.1)' }),
);
export type TokenResponse = z.infer<typeof TokenResponse>;
