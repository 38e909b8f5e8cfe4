import type { FastifyRequest } from 'fastify';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import { authorizationScheme, authorizationToken } from '../../auth/presented-credential.js';

export const OPAQUE_PREFIX = 'at_';

export const isBearer = (request: FastifyRequest): boolean => authorizationScheme(request) === 'bearer';

/** Whether a bearer credential says by its beginning that it is opaque; every other one is the mode `jwt`'s. */
export const isOpaqueBearer = ({ headers: { authorization = '' } }: FastifyRequest): boolean =>
  /^bearer +at_/i.test(authorization);

/** @throws InvalidCredentialError unless one token, and nothing else, is behind the scheme */
export function bearerToken(request: FastifyRequest): string {
  const token = authorizationToken(request);
  if (token === undefined) throw new InvalidCredentialError('not one bearer token');
  return token;
}
