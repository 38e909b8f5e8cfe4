import { z } from 'zod';
import { isScope } from '../../auth/scopes.js';
import { describeRenewal } from '../../accounts/sign-ins/sign-ins.schemas.js';
import { EmailInput, PasswordInput } from '../../accounts/users/users.schemas.js';

const scope = z
  .string()
  .max(1000)
  .refine((text) => text.split(' ').every(isScope), 'must be known scopes, separated by single spaces')
  .meta({
    description:
      'Separated by spaces. Default: all scopes that need no role. Scopes of a role, such as `admin:users`, are granted only if they are named here and the user has the role. Others are left out, and `scope` in the answer says what was granted',
  });

export const TokenRequest = z
  .strictObject({
    email: EmailInput,
    password: PasswordInput,
    format: z.enum(['jwt', 'opaque']).default('jwt').meta({ description: 'Of the access tokens' }),
    refreshIn: z
      .enum(['body', 'cookie'])
      .default('body')
      .meta({ description: 'Where the refresh token goes' }),
    scope: scope.optional(),
    resource: z
      .string()
      .max(2000)
      .optional()
      .meta({ description: 'RFC 8707: which of the audiences it is for' }),
  })
  .meta({ id: 'TokenRequest', description: 'Who signs in, and which tokens they get' });
export type TokenRequest = z.infer<typeof TokenRequest>;

export const RefreshRequest = z
  .strictObject({
    refreshToken: z.string().max(1000).optional().describe('Not needed where the cookie carries it'),
  })
  .default({})
  .meta({ id: 'RefreshRequest', description: 'Empty where the cookie carries the refresh token' });
export type RefreshRequest = z.infer<typeof RefreshRequest>;

/** RFC 6749 5.1 */
export const TokenResponse = describeRenewal(
  z
    .object({
      access_token: z.string().describe('To be sent as `Authorization: Bearer`'),
      token_type: z.literal('Bearer').describe('RFC 6750'),
      expires_in: z.int().meta({ description: 'Seconds' }),
      scope: z.string().describe('What the token can do, separated by spaces'),
      refresh_token: z.string().optional().meta({ description: 'Not there if it is in the cookie' }),
    })
    .meta({ id: 'TokenResponse', description: 'RFC 6749 5.1' }),
);
export type TokenResponse = z.infer<typeof TokenResponse>;
