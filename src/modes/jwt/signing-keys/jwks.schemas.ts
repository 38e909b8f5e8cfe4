import { z } from 'zod';

export const Jwks = z
  .object({
    keys: z
      .array(
        z.object({
          kty: z.string().describe('The type of the key'),
          crv: z.string().describe('Its curve'),
          x: z.string().describe('A coordinate'),
          y: z.string().optional().describe('The other one, of ES256'),
          kid: z.string().describe('The `kid` of the tokens that it signed'),
          alg: z.string().describe('The `alg` of the tokens that it signed'),
          use: z.literal('sig').describe('Signatures'),
        }),
      )
      .describe('The keys that verify tokens'),
  })
  .meta({ id: 'Jwks', description: 'RFC 7517' });
export type Jwks = z.infer<typeof Jwks>;
