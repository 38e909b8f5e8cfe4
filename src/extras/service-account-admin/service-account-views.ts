import { z } from 'zod';
import { pageOf } from '../../web/pagination/page.js';
import type { ServiceAccount } from '../service-accounts/service-account.entity.js';
import { serviceAccountName } from '../service-accounts/service-accounts.schemas.js';

const status = z.enum(['active', 'disabled']);

export const ChangeServiceAccount = z
  .strictObject({
    name: serviceAccountName.optional(),
    status: status.optional().meta({ description: '`disabled`: its keys and their tokens are refused' }),
  })
  .refine((body) => Object.keys(body).length > 0, 'must have at least one field')
  .meta({
    id: 'ChangeServiceAccount',
    description: 'Changes to a service account',
    example: { name: 'Billing' },
  });
export type ChangeServiceAccount = z.infer<typeof ChangeServiceAccount>;

export const ServiceAccountView = z
  .object({
    id: z.uuid().describe('The id of the account'),
    name: z.string().describe('The name of the service'),
    audience: z.string().describe('Keys with `tokens:introspect` see all access tokens for this audience'),
    status: status.describe('`disabled`: its keys and their tokens are refused'),
    createdBy: z.uuid().nullable().meta({
      description: 'The administrator. Null if that account was deleted or a command created this one',
    }),
    createdAt: z.iso.datetime().describe('When it was created'),
  })
  .meta({ id: 'ServiceAccount', description: 'An owner of keys that is not a person' });

export const ServiceAccountPage = pageOf(ServiceAccountView, 'ServiceAccountPage');

export const showServiceAccount = ({ id, name, audience, status, createdBy, createdAt }: ServiceAccount) => ({
  id,
  name,
  audience,
  status,
  createdBy,
  createdAt,
});
