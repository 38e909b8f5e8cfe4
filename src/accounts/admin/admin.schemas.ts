import { z } from 'zod';

export const RolesChange = z
  .strictObject({
    roles: z
      .array(z.enum(['admin']))
      .max(1)
      .describe('All roles of the user from now on'),
  })
  .meta({ id: 'RolesChange', description: 'Which roles a user has', example: { roles: ['admin'] } });
export type RolesChange = z.infer<typeof RolesChange>;

export const StatusChange = z
  .strictObject({ status: z.enum(['active', 'disabled']).describe('Whether the user can sign in') })
  .meta({ id: 'StatusChange', description: 'Whether a user can sign in' });
export type StatusChange = z.infer<typeof StatusChange>;
