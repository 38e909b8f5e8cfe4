import { z } from 'zod';
import { canonicalResource } from '../../auth/resource.js';
import { machineScopes } from '../../auth/scopes.js';
import { line } from '../../web/http/validation.js';
import { pageOf } from '../../web/pagination/page.js';
import type { ApiKey } from './api-key.entity.js';
import type { IssuedKey } from './api-keys.service.js';
import { canonicalCidr } from './networks.js';

const MAX_SCOPES = 100;

const name = line(1, 100).meta({
  description: 'What tells you the key from others',
  examples: ['Nightly import'],
});
const scopes = z
  // Lazily: the rooms that declare scopes may be loaded later.
  .array(z.lazy(() => z.enum(machineScopes())))
  .min(1)
  .max(MAX_SCOPES)
  .refine((all) => new Set(all).size === all.length, 'names a scope twice')
  .meta({ uniqueItems: true, description: 'What the key can do', examples: [['orders:read']] });
const expiresAt = z.iso.datetime({ offset: true }).transform((time) => new Date(time));

/** Of a key that does not say. */
const DEFAULT_RATE_LIMIT = { requests: 600, windowSeconds: 60 };
const MAX_RESOURCES = 50;
const MAX_CIDRS = 50;

const distinct = (all: readonly string[]) => new Set(all).size === all.length;
const resources = z
  .array(
    z
      .string()
      .regex(/^[a-z][a-z-]{0,50}\/[\w.~-]{1,100}$/, 'is no resource such as orders/<id>')
      .transform(canonicalResource),
  )
  .min(1)
  .max(MAX_RESOURCES)
  .refine(distinct, 'names a resource twice')
  .meta({
    description: 'The only ones that it may be used for. A route that is about none of them refuses it',
    examples: [['orders/01890000-0000-7000-8000-000000000000']],
  });
const cidr = z.string().transform((text, context) => {
  const canonical = canonicalCidr(text);
  if (canonical !== undefined) return canonical;
  context.addIssue({ code: 'custom', message: 'is no address and no network such as 192.0.2.0/24' });
  return z.NEVER;
});
const allowedCidrs = z
  .array(cidr)
  .min(1)
  .max(MAX_CIDRS)
  .refine(distinct, 'names a network twice')
  .meta({
    description: 'The only networks that it may be used from, of IPv4 or IPv6',
    examples: [['192.0.2.0/24', '2001:db8::/32']],
  });
const rateLimit = z
  .strictObject({
    requests: z.int().min(1).max(1_000_000).describe('Requests in each window'),
    windowSeconds: z.int().min(1).max(86_400).describe('The length of a window'),
  })
  .describe('How often the key can be used');

export const CreateApiKey = z
  .strictObject({
    name,
    scopes,
    resources: resources.optional(),
    allowedCidrs: allowedCidrs.optional(),
    rateLimit: rateLimit.default(DEFAULT_RATE_LIMIT),
    expiresAt: expiresAt
      .optional()
      .meta({ description: 'In the future, by ten years at most. Without it the key does not expire' }),
  })
  .meta({ id: 'CreateApiKey', description: 'A new key' });
export type CreateApiKey = z.infer<typeof CreateApiKey>;

export const NarrowApiKey = z
  .strictObject({
    name: name.optional(),
    scopes: scopes.optional().meta({ description: 'Some of those that the key has' }),
    resources: resources.optional().meta({ description: 'Some of those that the key is for' }),
    allowedCidrs: allowedCidrs.optional().meta({ description: 'Within those that the key is allowed from' }),
    expiresAt: expiresAt.optional().meta({ description: 'Not later than now set' }),
  })
  .refine((body) => Object.keys(body).length > 0, 'changes nothing')
  .meta({
    id: 'NarrowApiKey',
    description: 'A new name, and bounds that only get narrower',
    example: { name: 'Nightly import' },
  });
export type NarrowApiKey = z.infer<typeof NarrowApiKey>;

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
