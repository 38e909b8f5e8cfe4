import { z } from 'zod';
import { line } from '../../web/http/validation.js';

export const serviceAccountName = line(1, 100).meta({
  description: 'The name of the service',
  examples: ['Billing'],
});

export const CreateServiceAccount = z
  .strictObject({
    name: serviceAccountName,
    audience: z.string().max(200).optional().meta({
      description:
        'One of AUDIENCES. Default: the first one. Keys with `tokens:introspect` see all access tokens for it',
    }),
  })
  .meta({ id: 'CreateServiceAccount', description: 'A new service account' });
export type CreateServiceAccount = z.infer<typeof CreateServiceAccount>;
