import { z } from 'zod';
import { type Scope, USER_SCOPES } from '../auth/scopes.js';
import { text } from '../http/validation.js';
import { pageOf } from '../pagination/page.js';
import type { ApiKey } from './api-key.entity.js';

const KEY_SCOPES = USER_SCOPES.filter((scope) => scope !== 'account:security');

/** A key can change no password and no factor, and administers nothing. */
export const keyMayHold = (scope: Scope) => (KEY_SCOPES as readonly Scope[]).includes(scope);

const name = text(1, 100).meta({
  description: 'What tells you the key from others',
  examples: ['Nightly import'],
});
const scopes = z
  .array(z.enum(KEY_SCOPES))
  .min(1)
  .max(KEY_SCOPES.length)
  .refine((all) => new Set(all).size === all.length, 'names a scope twice')
  .meta({ uniqueItems: true, examples: [['orders:read']] });
const expiresAt = z.iso.datetime({ offset: true }).transform((time) => new Date(time));

export const CreateApiKey = z
  .strictObject({
    name,
    scopes,
    expiresAt: expiresAt
      .optional()
      .meta({ description: 'In the future, by ten years at most. Without it the key does not expire' }),
  })
  .meta({ id: 'CreateApiKey' });
export type CreateApiKey = z.infer<typeof CreateApiKey>;

export const NarrowApiKey = z
  .strictObject({
    name: name.optional(),
    scopes: scopes.optional().meta({ description: 'Some of those that the key has' }),
    expiresAt: expiresAt.optional().meta({ description: 'Not later than now set' }),
  })
  .refine((body) => Object.keys(body).length > 0, 'changes nothing')
  .meta({ id: 'NarrowApiKey' });
export type NarrowApiKey = z.infer<typeof NarrowApiKey>;

const time = z.iso.datetime();

export const ApiKeyView = z
  .object({
    id: z.uuid(),
    name: z.string(),
    prefix: z.string().meta({ description: 'How the key begins', examples: ['nk_test_7Gq2'] }),
    last4: z.string().meta({ description: 'How it ends' }),
    scopes: z.array(z.string()),
    createdAt: time,
    expiresAt: time.nullable(),
    lastUsedAt: time.nullable().meta({ description: 'Written every few seconds' }),
  })
  .meta({ id: 'ApiKey' });

export const CreatedApiKey = ApiKeyView.extend({
  key: z.string().meta({ description: 'The key itself: in this answer and never again' }),
}).meta({ id: 'CreatedApiKey' });

export const ApiKeyPage = pageOf(ApiKeyView, 'ApiKeyPage');

export const showApiKey = ({
  id,
  name,
  prefix,
  last4,
  scopes,
  createdAt,
  expiresAt,
  lastUsedAt,
}: ApiKey) => ({
  id,
  name,
  prefix,
  last4,
  scopes,
  createdAt,
  expiresAt,
  lastUsedAt,
});
