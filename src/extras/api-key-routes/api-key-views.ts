import { z } from 'zod';
import type { ApiKey } from '../../modes/api-keys/api-key.entity.js';
import type { IssuedKey } from '../../modes/api-keys/api-keys.service.js';
import { pageOf } from '../../web/pagination/page.js';

const MAX_OVERLAP_SECONDS = 7 * 86_400;

export const RotateApiKey = z
  .strictObject({
    overlapSeconds: z
      .int()
      .min(0)
      .max(MAX_OVERLAP_SECONDS)
      .default(86_400)
      .meta({ description: 'For how long the key that is rotated goes on' }),
  })
  .default({ overlapSeconds: 86_400 })
  .meta({ id: 'RotateApiKey', description: 'How the old key ends' });
export type RotateApiKey = z.infer<typeof RotateApiKey>;

const time = z.iso.datetime();

export const ApiKeyView = z
  .object({
    id: z.uuid().describe('Names the key in URLs and lists'),
    name: z.string().describe('As its owner named it'),
    prefix: z.string().meta({ description: 'How the key begins', examples: ['nk_test_7Gq2'] }),
    last4: z.string().meta({ description: 'How it ends' }),
    scopes: z.array(z.string()).describe('What the key can do'),
    resources: z.array(z.string()).nullable().meta({ description: 'Null: all that the scopes allow' }),
    allowedCidrs: z.array(z.string()).nullable().meta({ description: 'Null: from anywhere' }),
    rateLimit: z
      .object({
        requests: z.int().describe('Requests in each window'),
        windowSeconds: z.int().describe('The length of a window'),
      })
      .describe('How often the key can be used'),
    lineageId: z.uuid().meta({ description: 'The same for a key and all that it was rotated to' }),
    rotatedTo: z.uuid().nullable().meta({ description: 'The key that takes over' }),
    createdAt: time.describe('When it was made'),
    expiresAt: time.nullable().describe('Null: never'),
    lastUsedAt: time.nullable().meta({ description: 'Written every few seconds' }),
    lastNetwork: z.string().nullable().meta({ description: 'From where: a /24, or a /48 of IPv6' }),
  })
  .meta({ id: 'ApiKey', description: 'A key without its secret' });

export const CreatedApiKey = ApiKeyView.extend({
  key: z.string().meta({ description: 'The key itself: in this answer and never again' }),
}).meta({ id: 'CreatedApiKey', description: 'A new key with its secret' });

export const ApiKeyPage = pageOf(ApiKeyView, 'ApiKeyPage');

export const showApiKey = (key: ApiKey): z.input<typeof ApiKeyView> => ({
  id: key.id,
  name: key.name,
  prefix: key.prefix,
  last4: key.last4,
  scopes: key.scopes,
  resources: key.resources,
  allowedCidrs: key.allowedCidrs,
  rateLimit: { requests: key.rateLimitRequests, windowSeconds: key.rateLimitWindowSeconds },
  lineageId: key.lineageId,
  rotatedTo: key.rotatedTo,
  createdAt: key.createdAt.toISOString(),
  expiresAt: key.expiresAt?.toISOString() ?? null,
  lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
  lastNetwork: key.lastNetwork,
});

/** With the key, in the answer that makes it. */
export const showIssuedKey = ({ row, key }: IssuedKey): z.input<typeof CreatedApiKey> => ({
  ...showApiKey(row),
  key: key.reveal(),
});
