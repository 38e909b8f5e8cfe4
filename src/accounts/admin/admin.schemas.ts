import { z } from 'zod';
import { allRoles } from '../../auth/scopes.js';

const MAX_ROLES = 20;

export const RolesChange = z
  .strictObject({
    roles: z
      // Lazy, because rooms that define roles can be loaded later.
      .array(z.lazy(() => z.enum(allRoles())))
      .max(MAX_ROLES)
      .refine((all) => new Set(all).size === all.length, 'must not contain a role twice')
      .describe('The new roles; they replace all earlier ones'),
  })
  .meta({ id: 'RolesChange', description: 'The new roles of a user', example: { roles: ['admin'] } });
export type RolesChange = z.infer<typeof RolesChange>;

export const StatusChange = z
  .strictObject({ status: z.enum(['active', 'disabled']).describe('A disabled user cannot sign in') })
  .meta({ id: 'StatusChange', description: 'The new status of a user' });
export type StatusChange = z.infer<typeof StatusChange>;
