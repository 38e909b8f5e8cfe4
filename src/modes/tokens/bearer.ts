import type { FastifyRequest } from 'fastify';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import { authorizationScheme, authorizationToken } from '../../auth/presented-credential.js';

export const OPAQUE_PREFIX = 'at_';

export const isBearer = (request: FastifyRequest): boolean => authorizationScheme(request) === 'bearer';

/** Returns whether a bearer token has the prefix of an opaque one. The mode `jwt` handles all others. */
export const isOpaqueBearer = ({ headers: { authorization = '' } }: FastifyRequest): boolean =>
  /^bearer +at_/i.test(authorization);

/** @throws InvalidCredentialError unless the header is the scheme and exactly one token */
export function bearerToken(request: FastifyRequest): string {
  const token = authorizationToken(request);
  if (token === undefined) throw new InvalidCredentialError('not one bearer token');
  return token;
}
