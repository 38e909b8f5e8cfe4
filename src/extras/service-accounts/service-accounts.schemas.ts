import { z } from 'zod';
import { line } from '../../web/http/validation.js';

export const serviceAccountName = line(1, 100).meta({
  description: 'What the service is',
  examples: ['Billing'],
});

export const CreateServiceAccount = z
  .strictObject({
    name: serviceAccountName,
    audience: z.string().max(200).optional().meta({
      description:
        'One of AUDIENCES, the first unless told. A key with `tokens:introspect` sees all tokens that are for it',
    }),
  })
  .meta({ id: 'CreateServiceAccount', description: 'A new service account' });
export type CreateServiceAccount = z.infer<typeof CreateServiceAccount>;
