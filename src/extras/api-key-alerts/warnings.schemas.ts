import { z } from 'zod';
import { pageOf } from '../../web/pagination/page.js';
import type { KeyWarnings } from './warnings.js';

const Warning = z.enum(['never-expires', 'not-rotated', 'unused', 'unusual-use']).meta({
  description: '`not-rotated` and `unused` mean for 90 days, `unusual-use` means in the last 7 days',
});

export const ApiKeyWarningPage = pageOf(
  z
    .object({
      apiKeyId: z.uuid().describe('Names the key'),
      warnings: z.array(Warning).describe('What its owner should look at'),
    })
    .meta({ id: 'ApiKeyWarnings', description: 'The warnings about a key' }),
  'ApiKeyWarningPage',
);

export const showWarnings = ({ id, warnings }: KeyWarnings) => ({ apiKeyId: id, warnings });
