import { z } from 'zod';
import { ListQuery, pageOf } from '../../web/pagination/page.js';

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

export const AuditQuery = ListQuery.extend({
  type: z
    .string()
    .regex(/^[a-z-]+\.[a-z-]+$/, 'must be the type of an event, such as `sign-in.succeeded`')
    .max(100)
    .optional()
    .meta({ description: 'Only events of this type' }),
  from: time.optional().meta({ description: 'Only events at or after this time' }),
  to: time.optional().meta({ description: 'Only events before this time' }),
});
export type AuditQuery = z.infer<typeof AuditQuery>;

const shared = {
  id: z.uuid().describe('A UUIDv7 of the time of the event'),
  at: z.iso.datetime().describe('When it happened'),
  type: z.string().describe('What happened, such as `sign-in.succeeded`'),
  result: z.enum(['allowed', 'noticed', 'refused']).describe('Noticed: something suspicious was detected'),
  reason: z.string().nullable().describe('Why, if there is a reason'),
  mode: z.string().nullable().describe('The mode of the credential'),
  credentialId: z.string().nullable().describe('The id of the sign-in, token or key'),
  requests: z.int().describe('More than 1 for refusals that are counted by minute, reason and address'),
  details: z.record(z.string(), z.unknown()).describe('Further facts, by type of event'),
  ip: z.string().nullable().describe('The address of the client, until the account is deleted'),
  userAgent: z.string().nullable().describe('The user agent of the client, until the account is deleted'),
};

export const AuditEvent = z
  .object({
    ...shared,
    byMe: z.boolean().nullable().describe('Whether I acted. Null if nobody was signed in'),
  })
  .meta({ id: 'AuditEvent', description: 'A security event of an account' });

export const AdminAuditEvent = z
  .object({
    ...shared,
    subjectId: z.uuid().nullable().describe('The random id of the account, which stays when it is deleted'),
    accountId: z.uuid().nullable().describe('The user or service account, until it is deleted'),
    actorId: z.uuid().nullable().describe('The random id of the account that acted'),
    actorAccountId: z
      .uuid()
      .nullable()
      .describe('The user or service account that acted, until it is deleted'),
  })
  .meta({ id: 'AdminAuditEvent', description: 'A security event' });

export const AuditEventPage = pageOf(AuditEvent, 'AuditEventPage');
export const AdminAuditEventPage = pageOf(AdminAuditEvent, 'AdminAuditEventPage');
