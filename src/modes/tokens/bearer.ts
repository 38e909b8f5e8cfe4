import type { FastifyRequest } from 'fastify';
import { authorizationScheme } from '../../auth/presented-credential.js';

export const OPAQUE_PREFIX = 'at_';

export const isBearer = (request: FastifyRequest): boolean => authorizationScheme(request) === 'bearer';

/** Whether a bearer credential says by its beginning that it is opaque; every other one is the mode `jwt`'s. */
export const isOpaqueBearer = ({ headers: { authorization = '' } }: FastifyRequest): boolean =>
  /^bearer +at_/i.test(authorization);
