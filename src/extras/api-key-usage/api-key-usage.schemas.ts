import { z } from 'zod';

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

export const UsageQuery = z.strictObject({
  from: time.optional().meta({ description: 'A time in the first hour. Default: a week before `to`' }),
  to: time.optional().meta({ description: 'Only hours that start before this time. Default: now' }),
});
export type UsageQuery = z.infer<typeof UsageQuery>;

export const Usage = z
  .object({
    items: z
      .array(
        z.object({
          hour: z.iso.datetime().describe('The start of the hour'),
          requests: z.int().describe('The number of requests'),
          byStatus: z.record(z.string(), z.int()).meta({
            description: 'The number of requests by status class',
            examples: [{ '2xx': 118, '4xx': 2 }],
          }),
        }),
      )
      .describe('The hours with requests'),
  })
  .meta({
    id: 'ApiKeyUsage',
    description: 'The usage of a key, oldest hour first. Hours without requests are left out',
  });
export type Usage = z.infer<typeof Usage>;
