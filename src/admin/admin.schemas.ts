import { z } from 'zod';

export const RolesChange = z
  .strictObject({ roles: z.array(z.enum(['admin'])).max(1) })
  .meta({ id: 'RolesChange' });
export type RolesChange = z.infer<typeof RolesChange>;

export const StatusChange = z
  .strictObject({ status: z.enum(['active', 'disabled']) })
  .meta({ id: 'StatusChange' });
export type StatusChange = z.infer<typeof StatusChange>;
