import { z } from 'zod';
import { pageOf } from '../../web/pagination/page.js';
import type { KeyWarnings } from './warnings.js';

const Warning = z.enum(['never-expires', 'not-rotated', 'unused', 'unusual-use']).meta({
  description: '`not-rotated` and `unused`: for 90 days. `unusual-use`: in the last 7 days',
});

export const ApiKeyWarningPage = pageOf(
  z
    .object({
      apiKeyId: z.uuid().describe('The id of the key'),
      warnings: z.array(Warning).describe('The warnings about the key'),
    })
    .meta({ id: 'ApiKeyWarnings', description: 'A key with warnings' }),
  'ApiKeyWarningPage',
);

export const showWarnings = ({ id, warnings }: KeyWarnings) => ({ apiKeyId: id, warnings });
