import { z } from 'zod';
import { allRoles } from '../../auth/scopes.js';

const MAX_ROLES = 20;

export const RolesChange = z
  .strictObject({
    roles: z
      // Lazily: the rooms that name roles may be loaded later.
      .array(z.lazy(() => z.enum(allRoles())))
      .max(MAX_ROLES)
      .refine((all) => new Set(all).size === all.length, 'must not name a role twice')
      .describe('All roles of the user from now on'),
  })
  .meta({ id: 'RolesChange', description: 'Which roles a user has', example: { roles: ['admin'] } });
export type RolesChange = z.infer<typeof RolesChange>;

export const StatusChange = z
  .strictObject({ status: z.enum(['active', 'disabled']).describe('Whether the user can sign in') })
  .meta({ id: 'StatusChange', description: 'Whether a user can sign in' });
export type StatusChange = z.infer<typeof StatusChange>;
