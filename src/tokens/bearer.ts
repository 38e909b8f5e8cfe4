import type { FastifyRequest } from 'fastify';

export const OPAQUE_PREFIX = 'at_';

/** Whether a bearer credential says by its beginning that it is opaque; every other one is the mode `jwt`'s. */
export const isOpaqueBearer = ({ headers: { authorization = '' } }: FastifyRequest): boolean =>
  /^bearer +at_/i.test(authorization.trim());
