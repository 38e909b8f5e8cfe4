import { z } from 'zod';

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

export const UsageQuery = z.strictObject({
  from: time
    .optional()
    .meta({ description: 'The hour of this time is the first. A week before `to` unless told' }),
  to: time.optional().meta({ description: 'Hours that begin before it are shown. Now unless told' }),
});
export type UsageQuery = z.infer<typeof UsageQuery>;

export const Usage = z
  .object({
    items: z
      .array(
        z.object({
          hour: z.iso.datetime().describe('The start of the hour'),
          requests: z.int().describe('All requests of the hour'),
          byStatus: z
            .record(z.string(), z.int())
            .meta({ description: 'By class of status', examples: [{ '2xx': 118, '4xx': 2 }] }),
        }),
      )
      .describe('The hours that have requests'),
  })
  .meta({ id: 'ApiKeyUsage', description: 'Oldest first. An hour without requests is left out' });
export type Usage = z.infer<typeof Usage>;
