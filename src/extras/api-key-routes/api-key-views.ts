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
      .meta({ description: 'How long the old key still works' }),
  })
  .default({ overlapSeconds: 86_400 })
  .meta({ id: 'RotateApiKey', description: 'The overlap of the old and the new key' });
export type RotateApiKey = z.infer<typeof RotateApiKey>;

const time = z.iso.datetime();

export const ApiKeyView = z
  .object({
    id: z.uuid().describe('The id of the key'),
    name: z.string().describe('The name that its owner gave it'),
    prefix: z.string().meta({ description: 'The first characters of the key', examples: ['nk_test_7Gq2'] }),
    last4: z.string().meta({ description: 'The last four characters of the key' }),
    scopes: z.array(z.string()).describe('The scopes of the key'),
    resources: z.array(z.string()).nullable().meta({ description: 'Null: all that the scopes allow' }),
    allowedCidrs: z.array(z.string()).nullable().meta({ description: 'Null: all addresses are allowed' }),
    rateLimit: z
      .object({
        requests: z.int().describe('Requests per window'),
        windowSeconds: z.int().describe('Length of a window in seconds'),
      })
      .describe('The rate limit of the key'),
    lineageId: z.uuid().meta({ description: 'The same for a key and all its successors' }),
    rotatedTo: z.uuid().nullable().meta({ description: 'The id of the successor' }),
    createdAt: time.describe('When it was created'),
    expiresAt: time.nullable().describe('Null: the key never expires'),
    lastUsedAt: time.nullable().meta({ description: 'When it was last used; a few seconds late' }),
    lastNetwork: z
      .string()
      .nullable()
      .meta({ description: 'The network of the last use: a /24, or a /48 for IPv6' }),
  })
  .meta({ id: 'ApiKey', description: 'A key without its secret' });

export const CreatedApiKey = ApiKeyView.extend({
  key: z.string().meta({ description: 'The key itself, shown only in this answer' }),
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

export const showIssuedKey = ({ row, key }: IssuedKey): z.input<typeof CreatedApiKey> => ({
  ...showApiKey(row),
  key: key.reveal(),
});
