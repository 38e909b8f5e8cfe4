import { z } from 'zod';
import { pageOf } from '../../web/pagination/page.js';
import type { ServiceAccount } from '../service-accounts/service-account.entity.js';
import { serviceAccountName } from '../service-accounts/service-accounts.schemas.js';

const status = z.enum(['active', 'disabled']);

export const ChangeServiceAccount = z
  .strictObject({
    name: serviceAccountName.optional(),
    status: status.optional().meta({ description: 'Disabled: its keys and their tokens are refused' }),
  })
  .refine((body) => Object.keys(body).length > 0, 'must have at least one field')
  .meta({
    id: 'ChangeServiceAccount',
    description: 'What changes of a service account',
    example: { name: 'Billing' },
  });
export type ChangeServiceAccount = z.infer<typeof ChangeServiceAccount>;

export const ServiceAccountView = z
  .object({
    id: z.uuid().describe('Names the account'),
    name: z.string().describe('What the service is'),
    audience: z.string().describe('A key with `tokens:introspect` sees all tokens that are for it'),
    status: status.describe('Disabled: its keys and their tokens are refused'),
    createdBy: z.uuid().nullable().meta({ description: 'The administrator; null if that account is gone' }),
    createdAt: z.iso.datetime().describe('When it was made'),
  })
  .meta({ id: 'ServiceAccount', description: 'A service, which has keys and no person behind it' });

export const ServiceAccountPage = pageOf(ServiceAccountView, 'ServiceAccountPage');

export const showServiceAccount = ({ id, name, audience, status, createdBy, createdAt }: ServiceAccount) => ({
  id,
  name,
  audience,
  status,
  createdBy,
  createdAt,
});
