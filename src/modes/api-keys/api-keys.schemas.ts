import { z } from 'zod';
import { canonicalResource } from '../../auth/resource.js';
import { machineScopes } from '../../auth/scopes.js';
import { line } from '../../web/http/validation.js';
import { canonicalCidr } from './networks.js';

const MAX_SCOPES = 100;

const name = line(1, 100).meta({
  description: 'A name for lists',
  examples: ['Nightly import'],
});
const scopes = z
  // Lazy, because rooms that define scopes can be loaded later.
  .array(z.lazy(() => z.enum(machineScopes())))
  .min(1)
  .max(MAX_SCOPES)
  .refine((all) => new Set(all).size === all.length, 'must not contain a scope twice')
  .meta({ uniqueItems: true, description: 'The scopes of the key', examples: [['orders:read']] });
const expiresAt = z.iso.datetime({ offset: true }).transform((time) => new Date(time));

const DEFAULT_RATE_LIMIT = { requests: 600, windowSeconds: 60 };
const MAX_RESOURCES = 50;
const MAX_CIDRS = 50;

const distinct = (all: readonly string[]) => new Set(all).size === all.length;
const resources = z
  .array(
    z
      .string()
      .regex(/^[a-z][a-z-]{0,50}\/[\w.~-]{1,100}$/, 'must be a resource such as orders/<id>')
      .transform(canonicalResource),
  )
  .min(1)
  .max(MAX_RESOURCES)
  .refine(distinct, 'must not contain a resource twice')
  .meta({
    description: 'The only resources that the key can use. Routes without such a resource refuse it',
    examples: [['orders/01890000-0000-7000-8000-000000000000']],
  });
const cidr = z.string().transform((text, context) => {
  const canonical = canonicalCidr(text);
  if (canonical !== undefined) return canonical;
  context.addIssue({ code: 'custom', message: 'must be an address or a network such as 192.0.2.0/24' });
  return z.NEVER;
});
const allowedCidrs = z
  .array(cidr)
  .min(1)
  .max(MAX_CIDRS)
  .refine(distinct, 'must not contain a network twice')
  .meta({
    description: 'The only networks that the key can be used from, IPv4 or IPv6',
    examples: [['192.0.2.0/24', '2001:db8::/32']],
  });
const rateLimit = z
  .strictObject({
    requests: z.int().min(1).max(1_000_000).describe('Requests per window'),
    windowSeconds: z.int().min(1).max(86_400).describe('Length of a window in seconds'),
  })
  .describe('The rate limit of the key');

export const CreateApiKey = z
  .strictObject({
    name,
    scopes,
    resources: resources.optional(),
    allowedCidrs: allowedCidrs.optional(),
    rateLimit: rateLimit.default(DEFAULT_RATE_LIMIT),
    expiresAt: expiresAt
      .optional()
      .meta({ description: 'A time within the next ten years. Without it, the key never expires' }),
  })
  .meta({ id: 'CreateApiKey', description: 'A new key' });
export type CreateApiKey = z.infer<typeof CreateApiKey>;

export const NarrowApiKey = z
  .strictObject({
    name: name.optional(),
    scopes: scopes.optional().meta({ description: 'A subset of the scopes of the key' }),
    resources: resources.optional().meta({ description: 'A subset of the resources of the key' }),
    allowedCidrs: allowedCidrs
      .optional()
      .meta({ description: 'Networks within the allowed networks of the key' }),
    expiresAt: expiresAt.optional().meta({ description: 'Not later than the current expiry' }),
  })
  .refine((body) => Object.keys(body).length > 0, 'must have at least one field')
  .meta({
    id: 'NarrowApiKey',
    description: 'A new name, or narrower limits',
    example: { name: 'Nightly import' },
  });
export type NarrowApiKey = z.infer<typeof NarrowApiKey>;
